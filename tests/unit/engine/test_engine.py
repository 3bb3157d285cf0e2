"""bot/engine/: sealed, without memory of its own, deterministic."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import MODELS, ROOT


def run(script: str) -> Any:
    """Run `script` in a process of its own (the seal can't be broken again); return the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_sealed_process_reaches_nothing(tmp_path: Path) -> None:
    result = run(f"""
import json, socket, urllib.request
from bot.engine.seal import seal
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(1); address = listener.getsockname()
seal()
refused = []
def attempt(name, call):
    try: call()
    except PermissionError: refused.append(name)
    except Exception as error:
        if isinstance(getattr(error, "reason", None), PermissionError): refused.append(name)
        else: raise
attempt("tcp", lambda: socket.create_connection(address))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", address))
attempt("name", lambda: socket.getaddrinfo("example.org", 80))
attempt("bind", lambda: socket.socket().bind(("127.0.0.1", 0)))
attempt("http", lambda: urllib.request.urlopen(f"http://127.0.0.1:{{address[1]}}/"))
unix = socket.socket(socket.AF_UNIX); unix.bind({str(tmp_path / "s")!r}); unix.listen(1)
socket.socket(socket.AF_UNIX).connect({str(tmp_path / "s")!r})
print(json.dumps(refused))
""")
    assert result == ["tcp", "udp", "name", "bind", "http"]


def test_stand_ins_satisfy_imports_and_do_nothing() -> None:
    result = run("""
import json
from bot.engine import stand_in
stand_in.install()
import tensorflow as tf
from sentry_sdk.integrations.atexit import AtexitIntegration
class Layer(tf.keras.layers.Layer): pass
@tf.function
def f(): pass
try: import certainly_not_there
except ImportError: missing = True
print(json.dumps([isinstance(Layer(), Layer), missing, hasattr(tf, "__version__")]))
""")
    assert result == [True, True, False]


HOST = f"""
import asyncio, json, os, sys
sys.path.insert(0, {str(ROOT)!r})
from bot import log
log.configure("error")
from bot.engine import prepare
prepare()
from pathlib import Path
from bot.engine.host import Host
host = Host(Path({str(MODELS)!r}))
ask = asyncio.new_event_loop().run_until_complete
def turn(memory, language="en", number=0, **what):
    return ask(host.turn({{"language": language, "turn": number, "memory": memory, **what}}))
"""


def test_the_memory_holds_no_word_of_what_was_written() -> None:
    result = run(
        HOST
        + """
memory = {}
for text in ("my boss zanzibar has my passport", "I need a place to sleep zanzibar", "Italy"):
    memory = turn(memory, text=text)["memory"]
print(json.dumps([memory, len(host.store.turns)]))
"""
    )
    memory, left = result
    assert "zanzibar" not in json.dumps(memory)
    assert memory["slots"]["country"] == "IT"
    assert left == 0


def test_a_form_goes_on_from_the_memory_alone() -> None:
    result = run(
        HOST
        + """
first = turn({}, payload="/need_shelter")
fresh = json.loads(json.dumps(first["memory"]))
second = turn(fresh, payload='/inform_place{"place": "IT"}', number=1)
print(json.dumps([first["messages"], second["messages"]]))
"""
    )
    first, second = result
    assert {"show": "countries"} in first
    assert {"show": "services", "country": "IT", "need": "need_shelter", "topic": None} in second


def test_typed_text_can_not_name_an_intent() -> None:
    result = run(
        HOST
        + """
found = [turn({}, text=text)["understood"]["intent"] for text in ("/phone_shared", "/delete_data{}", "/restart")]
print(json.dumps(found))
"""
    )
    assert "phone_shared" not in result
    assert "restart" not in result


def test_no_text_breaks_a_turn_or_a_parse() -> None:
    result = run(
        HOST
        + """
texts = ["", " ", "/", "/{", "\\x00", "\\ud800", "\\u202e\\u2066", "a" * 5000, "😀" * 300, "{{", "%s %d {x} {0}", "\\n\\n", "ﷺ" * 50]
answers = [bool(turn({}, text=text)["messages"]) and bool(ask(host.parse(text))["intent"]) for text in texts]
print(json.dumps(answers))
"""
    )
    assert all(result)


def test_answers_come_in_the_language_of_the_turn() -> None:
    from bot.text.catalogue import Catalogue

    catalogue = Catalogue()
    codes = list(catalogue.languages)
    said = f"[turn({{}}, language=code, payload='/ask_rights')['messages'][0]['text'] for code in {codes!r}]"
    result = run(HOST + f"print(json.dumps({said}))")
    assert result == [catalogue.say("utter_ask_rights", code).text for code in codes]


def test_two_trainings_give_the_same_answers(tmp_path: Path) -> None:
    """Train the classifier twice, on a part of the examples, and compare every number."""
    result = run("""
import json
from bot.engine import stand_in
stand_in.install()
import numpy as np
from bot.engine.evaluate import Understanding, training_examples
known = [e for e in training_examples() if e.intent.startswith("need_") and e.language in ("fr", "vi")]
arrays = []
for _ in range(2):
    model = Understanding()
    model.fit(known)
    arrays.append(model.arrays)
print(json.dumps(all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0])))
""")
    assert result is True


def test_the_quickly_read_domain_is_what_rasa_reads(tmp_path: Path) -> None:
    result = run(f"""
import json, tarfile
from pathlib import Path
from bot.engine.stand_in import install
install()
from rasa.shared.core.domain import Domain
from bot.engine.model_domain import read_domain
folder = Path({str(tmp_path)!r})
with tarfile.open({str(MODELS / "helpline.tar.gz")!r}) as model:
    (folder / "domain.yml").write_bytes(model.extractfile("components/domain_provider/domain.yml").read())
ours, rasas = read_domain(folder), Domain.from_path(str(folder / "domain.yml"))
print(json.dumps([ours.as_dict() == rasas.as_dict(), ours.fingerprint() == rasas.fingerprint(), len(ours.intents)]))
""")
    assert result[:2] == [True, True]
    assert result[2] > 40
