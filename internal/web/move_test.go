package web

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// drag moves the pointer, pressed, from the middle of an element by some
// pixels; from its lower edge with grip.
func (w *window) drag(selector string, dx, dy float64, grip bool) {
	w.t.Helper()
	at := eval[[]float64](w, `(() => { const r = document.querySelector("`+selector+`").getBoundingClientRect(); return [r.left + r.width / 2, r.top + 12, r.bottom - 3] })()`)
	x, y := at[0], at[1]
	if grip {
		y = at[2]
	}
	for _, step := range []struct {
		kind input.DispatchMouseEventType
		x, y float64
	}{{input.DispatchMouseEventTypeMousePressed, x, y}, {input.DispatchMouseEventTypeMouseMoved, x + dx/2, y + dy/2}, {input.DispatchMouseEventTypeMouseMoved, x + dx, y + dy}, {input.DispatchMouseEventTypeMouseReleased, x + dx, y + dy}} {
		p := input.DispatchMouseEventParams{Type: step.kind, X: step.x, Y: step.y, Button: "left", ClickCount: 1}
		if step.kind != input.DispatchMouseEventTypeMouseReleased {
			p.Buttons = 1
		}
		if _, err := chromedp.Call(w.ctx, input.DispatchMouseEvent, p); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Events are moved and made longer with the pointer and with the keys; where
// guests or a series are concerned, one is asked first.
func TestBrowserMove(t *testing.T) {
	chromium(t)
	o := newOffice(t, time.Now)
	me := o.signIn("alice")
	const day = "2027-03-02" // a Tuesday
	alone := ask[saved](me, "POST", "events", meeting("alice", "Alone", day+"T10:00", day+"T11:00"))
	together := ask[saved](me, "POST", "events", meeting("alice", "Together", day+"T13:00", day+"T14:00", "bob@example.test"))
	ed := meeting("alice", "Series", day+"T15:00", day+"T16:00")
	ed.Event.RRule = "FREQ=WEEKLY;COUNT=4"
	series := ask[saved](me, "POST", "events", ed)
	is := func(p saved, start, end string) {
		t.Helper()
		if e := ask[eventOnWire](me, "GET", p.path()+"?zone=Europe/Stockholm", nil); e.Start != start || e.End != end {
			t.Errorf("%s: %s to %s, want %s to %s", e.Event.Summary, e.Start, e.End, start, end)
		}
	}
	alice := openBrowser(t, o.url)()
	alice.scheme("light")
	alice.signIn("alice")
	alice.open("/calendar/week/" + day)
	alice.until(`document.querySelectorAll(".box").length === 3`)
	hour := eval[float64](alice, `document.querySelector(".hours").offsetHeight / 24`)
	column := eval[float64](alice, `document.querySelector(".column").offsetWidth`)
	box := func(title string) string {
		return eval[string](alice, `(() => { const b = [...document.querySelectorAll(".box")].find(b => b.innerText.includes("`+title+`")); b.id = "b-`+title+`"; return "#b-`+title+`" })()`)
	}

	// The pointer: two days on and an hour and a half later; nothing is asked.
	alice.drag(box("Alone"), 2*column, 1.5*hour, false)
	alice.says("is moved")
	alice.until(`!document.querySelector("dialog[open]")`)
	is(alone, "2027-03-04T11:30", "2027-03-04T12:30")
	alice.press("Undo")
	alice.says("is where it was")
	is(alone, day+"T10:00", day+"T11:00")
	alice.until(`[...document.querySelectorAll(".box")].find(b => b.innerText.includes("Alone")).innerText.includes("10:00")`)
	alice.drag(box("Alone"), 0, hour/2, true)
	alice.says("is moved")
	is(alone, day+"T10:00", day+"T11:30")

	// The keys: a guest is concerned.
	alice.tabTo(`f.classList.contains("box") && f.innerText.includes("Together")`)
	alice.keys("m" + kb.ArrowRight + kb.ArrowDown)
	alice.until(`document.activeElement.classList.contains("moving") && document.querySelector("[role=status]").innerText.includes("3 March 2027, 13:15")`)
	alice.shot("moving")
	alice.keys(kb.Escape)
	alice.until(`!document.querySelector(".moving")`)
	is(together, day+"T13:00", day+"T14:00")
	alice.keys("m" + kb.ArrowRight + kb.ArrowDown)
	alice.keys(kb.Enter)
	alice.says("gets an update, at once")
	alice.shot("move-guests")
	alice.press("Leave it where it was")
	alice.until(`!document.querySelector("dialog[open]")`)
	is(together, day+"T13:00", day+"T14:00")
	alice.tabTo(`f.classList.contains("box") && f.innerText.includes("Together")`)
	alice.keys("m" + kb.ArrowRight + kb.Enter)
	alice.press("Move and send")
	alice.until(`!document.querySelector("dialog[open]")`)
	is(together, "2027-03-03T13:00", "2027-03-03T14:00")

	// A series: all of it goes to another weekday.
	alice.open("/calendar/week/2027-03-09")
	alice.until(`document.querySelectorAll(".box").length === 1`)
	alice.drag(box("Series"), column, hour, false)
	alice.until(`document.querySelector("input[value=all]")`)
	alice.shot("move-series")
	eval[any](alice, `(document.querySelector("input[value=all]").click(), null)`)
	alice.press("Move")
	alice.until(`!document.querySelector("dialog[open]")`)
	is(series, "2027-03-03T16:00", "2027-03-03T17:00")
	alice.quiet()
}
