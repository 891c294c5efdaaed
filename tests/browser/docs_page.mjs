// What a newcomer does on the documentation page, in Chromium, on a desk and on a phone: authorize, make a key,
// copy the request, find the key in a list, verify it, revoke it, see it revoked.
//
// Settings by the environment: PAGE (where it is), TOKEN and WORKSPACE, CHROMIUM (the browser), MODULES (the
// folder that has playwright-core), and SCREENSHOTS, a folder that gets pictures, if it is set.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";

const { PAGE, TOKEN, WORKSPACE, CHROMIUM, MODULES, SCREENSHOTS } = process.env;
const { chromium } = createRequire(`${MODULES}/`)("playwright-core");

const SCREENS = [
  { name: "desk", viewport: { width: 1280, height: 800 } },
  { name: "phone", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
];

/** One visitor, and all that goes wrong on the page meanwhile. */
class Visit {
  constructor(page, screen) {
    this.page = page;
    this.screen = screen;
    this.wrong = [];
    this.pictures = 0;
    page.on("console", (said) => {
      if (["error", "warning"].includes(said.type())) this.wrong.push(`console: ${said.text()}`);
    });
    page.on("pageerror", (error) => this.wrong.push(`script: ${error.message}`));
    page.on("requestfailed", (request) => this.wrong.push(`failed: ${request.url()}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      const here = url.protocol === "data:" || url.origin === new URL(PAGE).origin;
      if (!here) this.wrong.push(`asked elsewhere: ${url}`);
    });
  }

  /** What must hold whatever is shown. */
  async look(what) {
    const { width } = this.screen.viewport;
    const [wide, refused] = await this.page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.refusedByPolicy,
    ]);
    assert.ok(wide <= width, `${what}: the page is ${wide} wide on a screen of ${width}`);
    assert.deepEqual(refused, [], `${what}: the policy refused`);
    assert.deepEqual(this.wrong, [], what);
    if (SCREENSHOTS) {
      this.pictures += 1;
      await this.page.screenshot({ path: `${SCREENSHOTS}/${this.screen.name}-${this.pictures}.png` });
    }
  }

  /** Opens an operation if it is not open. */
  async open(id) {
    const operation = this.page.locator(`.opblock[id$="-${id}"]`);
    if (!(await operation.getByRole("button", { name: "Execute" }).isVisible())) {
      await operation.locator(".opblock-summary-control").click();
    }
    return operation;
  }

  /** Fills in what is given, executes, and reads the answer. */
  async execute(id, fields, body) {
    const operation = await this.open(id);
    for (const [name, value] of Object.entries(fields)) {
      const field = operation.locator(`tr[data-param-name="${name}"]`);
      if (await field.locator("select").count()) await field.locator("select").selectOption(value);
      else await field.locator("input").fill(value);
    }
    if (body) await operation.locator("textarea.body-param__text").fill(JSON.stringify(body, null, 2));
    const button = operation.getByRole("button", { name: "Execute" });
    await button.scrollIntoViewIfNeeded();
    const box = await button.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= this.screen.viewport.width, `${id}: the button is off the screen`);
    assert.ok(box.height >= 24, `${id}: the button is ${box.height} high`);
    const answered = this.page.waitForResponse((response) => response.request().resourceType() === "fetch");
    await button.click();
    await answered;
    const shown = operation.locator(".live-responses-table tr.response");
    await shown.locator(".response-col_status", { hasText: "200" }).waitFor();
    const text = await shown.locator(".highlight-code code").first().textContent();
    return { operation, answer: JSON.parse(text) };
  }

  /** The request as this snippet, as the button copies it. */
  async copy(operation, title) {
    await operation.locator(".request-snippets").getByText(title, { exact: true }).click();
    await operation.locator(".request-snippets .copy-to-clipboard button").click();
    return this.page.evaluate(() => navigator.clipboard.readText());
  }
}

/** Runs what was copied, if there is something to run it. */
function run(program, argument, text) {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
  } catch {
    console.log(`NOT TRIED: ${program} is not installed`);
    return undefined;
  }
  return execFileSync(program === "curl" ? "bash" : program, [argument, text], { encoding: "utf8" });
}

async function authorize(visit) {
  const { page } = visit;
  await page.locator(".scheme-container .authorize").click();
  await page.locator(".auth-container input").fill(TOKEN);
  await visit.look("the token is pasted");
  await page.locator(".auth-btn-wrapper .authorize").click();
  await page.locator(".auth-btn-wrapper .btn-done").click();
}

async function makeAndCopy(visit) {
  const { operation, answer } = await visit.execute("CreateApiKey", { workspaceId: WORKSPACE });
  assert.equal(answer.apiKey.name, "my first key");
  assert.ok(answer.secret.startsWith("kwk_live_"));
  await visit.look("a key is made");
  const curl = await visit.copy(operation, "curl");
  assert.match(curl, /^curl -X 'POST'/);
  const python = await visit.copy(operation, "Python");
  const go = await visit.copy(operation, "Go");
  for (const snippet of [curl, python, go]) {
    for (const part of [`/v1/workspaces/${WORKSPACE}/keys`, TOKEN, "my first key"]) {
      assert.ok(snippet.includes(part), `${part} is not in\n${snippet}`);
    }
  }
  assert.match(go, /^package main\n/);
  for (const [program, argument, text] of [["curl", "-c", curl], ["python3", "-c", python]]) {
    const printed = run(program, argument, text);
    if (printed) assert.match(JSON.parse(printed).secret, /^kwk_live_/, printed);
  }
  await visit.look("the request is copied");
  return answer;
}

async function visit(browser, screen) {
  const { name, ...options } = screen;
  const context = await browser.newContext({ ...options, permissions: ["clipboard-read", "clipboard-write"] });
  await context.addInitScript(() => {
    window.refusedByPolicy = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const here = new Visit(page, screen);
  await page.goto(`${PAGE}/docs`);
  await page.locator(".opblock-tag").first().waitFor();
  assert.equal(await page.title(), "Keyward API");
  assert.match(await page.locator(".opblock-tag").first().textContent(), /^Keys/);
  await here.look("the page is open");
  await authorize(here);
  const made = await makeAndCopy(here);
  const { keyId } = made.apiKey;
  const list = async (fields) => {
    const { answer } = await here.execute("ListApiKeys", { workspaceId: WORKSPACE, ...fields });
    return answer.apiKeys.find((key) => key.keyId === keyId);
  };
  assert.equal((await list({})).status, "API_KEY_STATUS_ACTIVE");
  await here.look("the key is listed");
  const { answer: verdict } = await here.execute("VerifyKey", {}, { key: made.secret });
  assert.equal(verdict.decision, "DECISION_ACCEPTED");
  await here.look("the key is verified");
  await here.execute("RevokeApiKey", { workspaceId: WORKSPACE, keyId });
  await here.look("the key is revoked");
  assert.equal(await list({}), undefined);
  assert.equal((await list({ showDead: "true" })).status, "API_KEY_STATUS_REVOKED");
  await here.look("the key is listed as revoked");
  await page.locator(".topbar select").selectOption({ label: "Compatible products" });
  await page.getByRole("heading", { name: "Velt" }).waitFor();
  await here.open("slaunchxCreateApiKey");
  await here.look("the other document is open");
  await context.close();
  console.log(`${name}: tried`);
}

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
try {
  for (const screen of SCREENS) await visit(browser, screen);
} finally {
  await browser.close();
}
