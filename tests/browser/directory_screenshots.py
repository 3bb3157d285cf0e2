"""Pictures of the editors' pages, for docs/directory.md and for looking at: `make screenshots`.

Usage: python -m tests.browser.directory_screenshots FOLDER
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bot.staff.accounts import Role
from tests.browser.console_screenshots import WIDE, picture
from tests.browser.test_console import Room
from tests.browser.test_editor import SHEET, service
from tests.staffroom import employ
from tests.support import Helpline, running

LATER = """Association;Prestation;Numéro vert;Pays;Ville;Besoins;Langues;Adresse secrète
Le Pont;Accueil de nuit;0 800 05 95 95;France;Lyon;need_shelter;français, arabe;12 rue Cachée
Le Pont;Avocats;+33 1 23 45 67 89;Atlantide;Paris;need_legal;français;
"""


def take(browser: Browser, helpline: Helpline, folder: Path) -> None:
    room = Room(browser, helpline)
    room.folder = folder
    (helpline.folder / "ours.csv").write_text(SHEET, encoding="utf-8")
    command = [sys.executable, "-m", "bot.cli", "directory", "import", str(helpline.folder / "ours.csv")]
    subprocess.run(command, env=helpline.environment, check=True, capture_output=True)
    key = service(helpline)
    nora = room.operator(employ(helpline, "nora", Role.SUPERVISOR))
    vera = room.operator(employ(helpline, "vera", Role.SUPERVISOR))
    samir = room.operator(employ(helpline, "samir", Role.SUPERVISOR, language="ar"), "phone")
    for operator in (nora, vera):
        operator.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    picture(room, nora, "/console/entries?words=Porto", "directory-entries")
    picture(room, nora, f"/console/entries/{key}", "directory-entry")
    nora.page.locator("[name=alert]").fill("Moved: the new address is on the phone")
    nora.page.locator("[name=hours]").fill("Mo-Fr 09:00-17:00")
    nora.page.locator("button[value=preview]").click()
    nora.page.locator(".entry-text").first.scroll_into_view_if_needed()
    nora.page.screenshot(path=str(folder / "directory-preview.png"))
    nora.page.locator("button[value=propose]").click()
    nora.page.wait_for_selector(".done")
    vera.page.goto(f"{helpline.url}/console/proposals")
    vera.page.locator("ul.list a.button").last.click()
    vera.page.wait_for_selector("table.cards")
    vera.page.screenshot(path=str(folder / "directory-proposal.png"))
    nora.page.goto(f"{helpline.url}/console/organizations")
    organization = nora.page.locator("li", has_text="Porto Sicuro").locator("a").get_attribute("href") or ""
    picture(room, nora, organization, "directory-organization")
    for name in ("review", "round", "health", "translations"):
        picture(
            room, vera, f"/console/{name}", f"directory-{name}" if name != "translations" else "console-translations"
        )
    for name, text in (("wrong", LATER), ("import", LATER.replace("Atlantide", "France"))):
        nora.page.goto(f"{helpline.url}/console/import")
        file = {"name": "pont.csv", "mimeType": "text/csv", "buffer": text.encode("cp1252")}
        nora.page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
        nora.page.locator("main form button.primary").click()
        nora.page.wait_for_url("**/console/import/*")
        path = nora.page.url.removeprefix(helpline.url)
        picture(room, vera, path, f"directory-import{'-wrong' if name == 'wrong' else ''}")
    picture(room, samir, path, "directory-import-ar-phone")
    picture(room, samir, f"/console/entries/{key}", "directory-entry-ar-phone")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("the screenshots need Chromium: apt-get install chromium")
    with running(Path(tempfile.mkdtemp())) as helpline, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        take(browser, helpline, folder)
        browser.close()


if __name__ == "__main__":
    main()
