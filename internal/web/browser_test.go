package web

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// These tests drive a real browser against a real service. Screenshots go to
// the directory CONVENE_SCREENSHOTS, or a temporary one that the log names.

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if strings.Contains(os.Getenv("CONVENE_REQUIRE"), "browser") {
		t.Fatal("a browser is required: apt-get install chromium")
	}
	t.Skip("SKIP browser: no chromium in PATH (apt-get install chromium): the web application is not driven by a browser")
	return ""
}

// window is one browser tab of its own profile.
type window struct {
	t     *testing.T
	ctx   context.Context
	url   string
	shots string

	mu       sync.Mutex
	problems []string // errors on the console, violations of the content security policy among them
}

// openBrowser starts a browser and gives the way to open windows in it.
func openBrowser(t *testing.T, url string) func() *window {
	t.Helper()
	path := chromium(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("accept-lang", "en-GB"), chromedp.Env("TZ=Europe/Stockholm"), chromedp.UserDataDir(t.TempDir()))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	first, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { _ = chromedp.Cancel(first); cancel() })
	if err := chromedp.Do(first); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	shots := os.Getenv("CONVENE_SCREENSHOTS")
	if shots == "" {
		var err error
		if shots, err = os.MkdirTemp("", "convene-screenshots-"); err != nil {
			t.Fatal(err)
		}
	} else if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshots in %s", shots)
	return func() *window {
		ctx, cancel := chromedp.NewContext(first, chromedp.WithNewBrowserContext())
		t.Cleanup(cancel)
		w := &window{t: t, ctx: ctx, url: url, shots: shots}
		console := chromedp.Console(ctx)
		go func() {
			for m, err := range console {
				if err != nil {
					return
				}
				if strings.Contains(m.URL, "/sign-in") && strings.Contains(m.Text, "401") {
					continue // the browser's own word about a wrong password
				}
				if m.Type == "error" || m.Type == "assert" || m.IsException() {
					w.mu.Lock()
					w.problems = append(w.problems, m.String())
					w.mu.Unlock()
				}
			}
		}()
		return w
	}
}

// patience for one step, for hangs only: the machine may be busy.
const patience = time.Minute

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.shot("failure")
		w.t.Fatal(err)
	}
}

func (w *window) open(path string) { w.t.Helper(); w.do(chromedp.Navigate(w.url + path)) }

// eval asks the page something.
func eval[T any](w *window, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		w.t.Fatalf("%.200s: %.2000v", expression, err)
	}
	return v
}

// until waits for the page to say so.
func (w *window) until(condition string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		// Between two pages there is nothing to ask; that is not yet a failure. A page
		// that is half there may say what is waited for before it has its forms.
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.readyState !== 'loading' && Boolean("+condition+")")); err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.shot("failure")
			w.quiet()
			w.t.Fatalf("waited in vain for %s; the page says:\n%s", condition, eval[string](w, "document.body?.innerText ?? ''"))
		}
	}
}

// says waits for a text on the page.
func (w *window) says(text string) {
	w.t.Helper()
	w.until(fmt.Sprintf("document.body?.innerText.includes(%q)", text))
}

// button is the button or link of a name, within the dialog when one is open.
func button(name string) string {
	return fmt.Sprintf(`[...([...document.querySelectorAll("dialog[open]")].at(-1) ?? document).querySelectorAll("button, a")].find(b => (b.getAttribute("aria-label") ?? b.innerText).trim().startsWith(%q))`, name)
}

func (w *window) press(name string) {
	w.t.Helper()
	w.until(button(name) + "?.disabled === false || " + button(name) + "?.href")
	eval[any](w, "("+button(name)+".click(), null)")
}

// keys types, as a person without a mouse does. Return goes as one key, whose
// character the page can prevent, as with a real keyboard; chromedp would send
// the character apart.
func (w *window) keys(text string) {
	w.t.Helper()
	for i, part := range strings.Split(text, kb.Enter) {
		if i > 0 {
			for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
				p := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}
				if kind == input.DispatchKeyEventTypeKeyDown {
					p.Text = "\r"
				}
				if _, err := chromedp.Call(w.ctx, input.DispatchKeyEvent, p); err != nil {
					w.t.Fatal(err)
				}
			}
		}
		if part != "" {
			w.do(chromedp.KeyEvent(part))
		}
	}
}

// fill replaces what a field holds by typing.
func (w *window) fill(selector, text string) {
	w.t.Helper()
	eval[any](w, fmt.Sprintf(`((f) => { f.focus(); f.select() })(document.querySelector(%q))`, selector))
	w.keys(text)
}

// tabTo presses Tab until the focus is where the expression of `f` says.
func (w *window) tabTo(f string) {
	w.t.Helper()
	for range 80 {
		if eval[bool](w, `((f) => Boolean(`+f+`))(document.activeElement)`) {
			if !eval[bool](w, `document.activeElement.matches(":focus-visible") && (getComputedStyle(document.activeElement).outlineStyle !== "none" || document.activeElement.matches("input[type=date],input[type=time]"))`) {
				w.t.Errorf("the focus cannot be seen on %s", eval[string](w, "document.activeElement.outerHTML.slice(0, 120)"))
			}
			return
		}
		w.keys(kb.Tab)
	}
	w.shot("failure")
	w.t.Fatalf("80 times Tab do not lead to %s", f)
}

func (w *window) shot(name string) {
	png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(w.shots, name+".png"), png, 0o644)
	}
	if err != nil {
		w.t.Errorf("screenshot %s: %v", name, err)
	}
}

func (w *window) signIn(name string) {
	w.t.Helper()
	w.open("/sign-in")
	w.fill(`input[name=login]`, name)
	w.fill(`input[name=password]`, name+" password"+kb.Enter)
	w.until(`document.querySelector(".timegrid, .list")`)
}

func (w *window) size(width, height int64) {
	w.t.Helper()
	w.do(chromedp.EmulateViewport(width, height))
}

func (w *window) scheme(name string) {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	}); err != nil {
		w.t.Fatal(err)
	}
}

// quiet checks that the pages had nothing to complain of.
func (w *window) quiet() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.problems {
		w.t.Errorf("console: %s", p)
	}
}
