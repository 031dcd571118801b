"""The dashboard in a real browser: what is shown, what is live, what buttons and keys do.

    python3 tests/dashboard/run.py              needs Playwright and a Chromium (CHROMIUM names it)
    ROTA_RENEW=1 python3 tests/dashboard/run.py also takes the pictures of docs/images anew

It starts the built binary on loopback with nodes that can be killed, and looks at it as a person
would. Each step waits for what it expects; the page is never loaded again to see something new.
"""

import os
import pathlib
import shutil
import sys
import time

from playwright.sync_api import expect, sync_playwright

import world
from scene import PATIENCE_S, TOKEN, Scene, binary, spare_port, wait_for

IMAGES = pathlib.Path(__file__).resolve().parents[2] / "docs/images"
RENEW = "ROTA_RENEW" in os.environ
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
ELEMENTS_MAX = 10_000
ASKED = [("app.lb.example.org", 6), ("search.lb.example.org", 4), ("shop.lb.example.org", 2),
         ("nothing.lb.example.org", 1)]

expect.set_options(timeout=PATIENCE_S * 1000)


class Window:
    """One tab, whose console must stay silent."""

    def __init__(self, browser, scene, size=None, **options):
        self.context = browser.new_context(viewport=size or WIDE, **options)
        self.page = self.context.new_page()
        self.scene, self.said = scene, []
        self.page.on("console", lambda line: self.said.append(f"{line.type}: {line.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def open(self, path):
        self.page.goto(self.scene.url + path)
        return self.page

    def row(self, node):
        return self.page.locator(f"tr[data-key^='{node} ']")

    def close(self, allowed=()):
        said = [line for line in self.said if not any(one in line for one in allowed)]
        assert not said, said
        self.context.close()

    def fits(self):
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.page.viewport_size["width"], f"{self.page.url} is {wide} wide"


def live(scene, browser):
    """A node that is killed turns without a reload, and nothing that is typed is lost."""
    window = Window(browser, scene)
    page = window.open("/")
    page.evaluate("window.unloaded = false")
    expect(page.locator("#live-text")).to_have_text("live")
    row = window.row("lb.example.org/search/small2")
    expect(row.locator(".status")).to_contain_text("up")
    expect(row.locator(".percent")).not_to_have_text("–")
    page.locator("#q").focus()
    scene.nodes["small2"].kill()
    expect(row.locator(".status")).to_contain_text("down")
    expect(row.locator(".reason")).to_have_text("connection refused")
    expect(page.locator(".events")).to_contain_text("lb.example.org/search/small2")
    expect(page).to_have_title("1 down · rota")
    assert page.evaluate("document.activeElement.id") == "q", "the focus has moved"
    assert page.evaluate("window.unloaded") is False, "the page was loaded again"
    scene.nodes["small2"] = type(scene.nodes["small2"])(
        scene.binary, world.IPS["small2"], scene.port, "small2")
    expect(row.locator(".status")).to_contain_text("up")
    # The strip remembers what the status has forgotten.
    assert row.locator(".strip rect.f").count() > 0
    window.close()


def drain(scene, browser):
    """Where no token is needed none is asked for; what was said is seen and lifted."""
    window = Window(browser, scene)
    page = window.open("/")
    row = window.row("lb.example.org/app/eu/eu1")
    row.get_by_role("button", name="Change eu1").click()
    expect(page.locator("#token-field")).to_be_hidden()
    page.get_by_label("Reason").fill('<b>"new" kernel</b>')
    page.get_by_label("Your name").fill("ada")
    page.locator("select[name=for]").select_option("3600")
    page.locator("#change-do").click()
    expect(page.locator("#change")).to_be_hidden()
    expect(row.locator(".status")).to_contain_text("draining")
    expect(row).to_contain_text("checks say up")
    override = page.locator(".overrides li")
    expect(override).to_contain_text('<b>"new" kernel</b>')
    expect(override).to_contain_text("by ada")
    expect(override).to_contain_text("left")
    override.get_by_role("button").click()
    expect(row.locator(".status")).to_contain_text("up")
    expect(page.locator(".overrides li")).to_have_count(0)
    window.close()


def fades(scene, browser):
    """Who still holds a node that was taken out: a curve whose line of now moves, until nobody."""
    window = Window(browser, scene)
    page = window.open("/services/lb.example.org/search")
    expect(page.locator("#live-text")).to_have_text("live")
    row = window.row("lb.example.org/search/mid")
    expect(row.locator(".percent")).not_to_have_text("–")
    expect(page.locator(".held")).to_have_count(0)
    scene.tell("drain", "mid")
    held = page.locator(".held")
    expect(held).to_contain_text("resolvers hold it, the last of them for")
    expect(row).to_contain_text("resolvers, gone in")
    chart = held.get_by_role("img")
    assert "resolvers hold it" in chart.get_attribute("aria-label")
    line = held.locator("path.now")
    before = line.get_attribute("d")
    expect(line).not_to_have_attribute("d", before)
    # Nothing is forgotten sooner than its TTL; then it is said, and there is nothing to draw.
    expect(held).to_contain_text("No resolver holds it any more.")
    expect(held).to_contain_text("forgotten")
    expect(chart).to_have_count(0)
    expect(page.locator(".events")).to_contain_text("drained")
    scene.tell("undrain", "mid")
    expect(held).to_have_count(0)
    window.close()


def shift(scene, browser):
    """Shares of a split service: of two pools one follows the other, and they must be 100."""
    window = Window(browser, scene)
    page = window.open("/")
    service = page.locator("article.service[data-key='lb.example.org/shop']")
    button = service.get_by_role("button", name="Shift shop.lb.example.org")
    expect(button).to_have_count(1)
    expect(page.get_by_role("button", name="Shift")).to_have_count(1)
    button.click()
    expect(page.locator("#change-title")).to_have_text("Shift lb.example.org/shop")
    expect(page.locator("#set-field")).to_be_hidden()
    blue, green = page.locator("input[data-pool=blue]"), page.locator("input[data-pool=green]")
    expect(blue).to_have_value("90")
    blue.fill("30")
    expect(green).to_have_value("70")
    green.fill("170")
    expect(page.locator("#shares-sum")).to_contain_text("200 together; it must be 100")
    page.locator("#change-do").click()
    expect(page.locator("#change")).to_be_visible()
    green.fill("70")
    page.locator("#change-form input[name=reason]").fill("canary")
    page.locator("#change-do").click()
    expect(page.locator("#change")).to_be_hidden()
    expect(page.locator("#toast")).to_contain_text("lb.example.org/shop: blue=30 green=70")
    expect(service).to_contain_text("30 % of all clients, configured 90 %")
    # What is said of nodes is another form.
    service.get_by_role("button", name="Change shop.lb.example.org").click()
    expect(page.locator("#set-field")).to_be_visible()
    expect(page.locator("#shares-field")).to_be_hidden()
    page.keyboard.press("Escape")
    page.locator(".overrides li").get_by_role("button").click()
    expect(service).not_to_contain_text("configured 90 %")
    window.close()


def token(scene, browser):
    """Where one is needed it is asked for once, a wrong one is said, and it stays in this tab."""
    window = Window(browser, scene)
    page = window.open("/services/lb.example.org/app")
    row = window.row("lb.example.org/app/us/us1")
    row.get_by_role("button", name="Change us1").click()
    expect(page.locator("#token-field")).to_be_visible()
    page.get_by_label("Down").check()
    page.get_by_label("Token").fill("a wrong one, of some length")
    page.locator("#change-do").click()
    expect(page.locator("#change-problem")).to_contain_text("the token is wrong")
    page.get_by_label("Token").fill(TOKEN)
    page.locator("#change-do").click()
    expect(row.locator(".status")).to_contain_text("down")
    row.get_by_role("button", name="Change us1").click()
    expect(page.locator("#token-field")).to_be_hidden()
    page.get_by_label("Weight", exact=False).first.check()
    page.locator("input[name=weight]").fill("7")
    page.locator("#change-do").click()
    expect(row.locator(".weight")).to_contain_text("7")
    row.get_by_role("button", name="Change us1").click()
    page.get_by_label("Auto").check()
    page.locator("#change-do").click()
    expect(row.locator(".status")).to_contain_text("up")
    # The same token shifts.
    page = window.open("/services/lb.example.org/shop")
    page.get_by_role("button", name="Shift").click()
    expect(page.locator("#token-field")).to_be_hidden()
    page.locator("input[data-pool=green]").fill("100")
    page.locator("#change-do").click()
    expect(page.locator("tr.pool").first).to_contain_text("0 % of all clients, configured 90 %")
    expect(page.locator(".held")).to_contain_text("blue1")
    assert TOKEN not in page.content() and TOKEN not in page.url
    # A browser writes a line of its own for each answer of 401.
    window.close(allowed=["401"])


def keyboard(scene, browser):
    """All of it without a mouse, and what has the focus is seen."""
    window = Window(browser, scene)
    page = window.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("eu2")
    expect(page.locator("tr.node")).to_have_count(1)
    assert "q=eu2" in page.url
    page.keyboard.press("Escape")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.ariaLabel") == "Change eu2":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", f"the focus is not seen: {outline}"
    page.keyboard.press("Enter")
    expect(page.locator("#change")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#change")).to_be_hidden()
    assert page.evaluate("document.activeElement.ariaLabel") == "Change eu2"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # A drain, as it stands there.
    expect(window.row("lb.example.org/app/eu/eu2").locator(".status")).to_contain_text("draining")
    scene.tell("undrain", "eu2")
    expect(window.row("lb.example.org/app/eu/eu2").locator(".status")).to_contain_text("up")
    window.close()


def theme(scene, browser):
    """The system's, until another is chosen, which is remembered."""
    window = Window(browser, scene, color_scheme="dark")
    page = window.open("/")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.locator("#theme").click()
    light = page.evaluate(paper)
    assert dark != light
    page = window.open("/explain")
    assert page.evaluate(paper) == light
    # A key that is typed into a field is that field's.
    page.locator("#q").focus()
    page.keyboard.press("t")
    assert page.evaluate(paper) == light
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate(paper) == dark
    window.close()


def explain(scene, browser):
    """A question by the form, its decision stage by stage, and a mistake with what is wrong."""
    window = Window(browser, scene)
    page = window.open("/services/lb.example.org/app")
    page.get_by_role("link", name="Explain an answer").click()
    stages = page.locator(".stages > li > h2")
    expect(stages.first).to_have_text("Client")
    expect(stages.last).to_have_text("Answer")
    expect(page.locator(".stages")).to_contain_text("eu/eu1")
    page.get_by_label("Its resolver").fill("nowhere")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("alert")).to_contain_text("it is no address")
    window.close()


def without_script(scene, browser):
    """What is seen without a script is whole; only what needs one is not there."""
    window = Window(browser, scene, java_script_enabled=False)
    page = window.open("/")
    expect(page.locator("tr.node")).to_have_count(11)
    expect(page.locator("button.change").first).to_be_hidden()
    page.locator("#q").fill("us")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tr.node")).to_have_count(2)
    window.close()


def contrast(scene, browser):
    """WCAG AA of every text that is seen, in both themes: 4.5 to 1."""
    script = (pathlib.Path(__file__).parent / "contrast.js").read_text()
    for scheme in ["light", "dark"]:
        for path in PAGES.values():
            window = Window(browser, scene, color_scheme=scheme)
            page = window.open(path)
            weak = page.evaluate(script)
            assert not weak, f"{scheme} {path}: {weak}"
            window.close()


def lost(scene, browser):
    """A server that is gone is said loudly: what is shown is old."""
    window = Window(browser, scene)
    page = window.open("/")
    expect(page.locator("#live-text")).to_have_text("live")
    scene.stop_server()
    expect(page.locator("#stale")).to_contain_text("No contact with the server")
    expect(page.locator("#live-text")).to_have_text("no contact")
    window.close(allowed=["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING",
                          "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"])


def crowd(browser):
    """A thousand nodes: one page of bounded size, usable at once."""
    for services, nodes in [(1, 1000), (1000, 1)]:
        with Scene(binary(), world.crowd(services, nodes)) as scene:
            scene.start()
            window = Window(browser, scene)
            page = window.open("/")
            count = page.evaluate("document.querySelectorAll('*').length")
            size = len(scene.get("/"))
            assert count < ELEMENTS_MAX, count
            page.locator("#q").fill("10.0.3.231")
            expect(page.locator("tr.node")).to_have_count(1)
            window.fits()
            window.open("/services/lb.example.org/s000")
            window.close()
            print(f"  {services} × {nodes}: {count} elements, {size} octets")


PAGES = {
    "overview": "/",
    "service": "/services/lb.example.org/app",
    "explain": "/explain?name=app.lb.example.org",
}


def trouble(scene):
    """A bad day, as the pictures show it."""
    if RENEW:
        # What is new has no past to show: five minutes of queries fill the picture.
        minutes = lambda: (status := scene.status())["now"] - status["started"] > 300
        wait_for("a past to show", minutes, patience_s=400)
    scene.tell("drain", "eu2", "--reason", "kernel update", "--for", "1h")
    scene.tell("weight", "us2", "1", "--reason", "its new disk is slow")
    for node, mood in [("eu3", "fail"), ("big", "fail"), ("small1", "hang")]:
        scene.nodes[node].feel(mood)
    down = lambda: scene.get("/api/v1/status").count('"effective":"down"') == 3
    wait_for("three nodes are down", down)


def pictures(scene, browser):
    """Both themes at both widths; nothing is wider than the screen."""
    for size, width in [(WIDE, "wide"), (NARROW, "phone")]:
        for scheme in ["light", "dark"]:
            for name, path in PAGES.items():
                window = Window(browser, scene, size, color_scheme=scheme)
                page = window.open(path)
                if name != "explain":
                    expect(page.locator("#live-text")).to_have_text("live")
                window.fits()
                if RENEW:
                    IMAGES.mkdir(exist_ok=True)
                    page.screenshot(path=IMAGES / f"{name}-{width}-{scheme}.png",
                                    full_page=width == "wide", animations="disabled")
                window.close()


def main():
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    ips = list(world.IPS.values())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for needs_token, steps in [
            (False, [live, drain, fades, shift, keyboard, theme, explain, without_script]),
            (True, [token]),
            (False, [trouble, contrast, pictures, lost]),
        ]:
            port = spare_port(ips)
            with Scene(binary(), world.files(port, needs_token)) as scene:
                scene.port = port
                for name, ip in world.IPS.items():
                    scene.start_node(name, ip, port)
                scene.start()
                scene.ask(ASKED, 100)
                for step in steps:
                    began = time.monotonic()
                    step(scene, browser) if step is not trouble else step(scene)
                    print(f"ok {step.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        crowd(browser)
        print("ok crowd")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
