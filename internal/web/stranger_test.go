package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// What people's calendars really hold: titles from right to left and far too
// long, five hundred guests, other zones, days that summer time cuts short, and
// weeks without hours; with the keyboard alone.
func TestBrowserStranger(t *testing.T) {
	chromium(t)
	o := newOffice(t, time.Now)
	me := o.signIn("alice")
	guests := make([]string, 0, 500)
	for i := range 500 {
		guests = append(guests, fmt.Sprintf("guest%03d@elsewhere.test", i))
	}
	crowd := ask[saved](me, "POST", "events", meeting("alice", "Crowd", "2027-03-23T10:00", "2027-03-23T11:00", guests...))
	ask[saved](me, "POST", "events", meeting("alice", "اجتماع الفريق الأسبوعي", "2027-03-24T10:00", "2027-03-24T11:00"))
	ask[saved](me, "POST", "events", meeting("alice", strings.Repeat("Donaudampfschifffahrtsgesellschaft", 10), "2027-03-25T10:00", "2027-03-25T10:15"))
	abroad := meeting("alice", "Tokyo", "2027-03-26T18:00", "2027-03-26T19:00")
	abroad.Event.Zone = "Asia/Tokyo"
	ask[saved](me, "POST", "events", abroad)
	night := ask[saved](me, "POST", "events", meeting("alice", "Night shift", "2027-03-27T23:00", "2027-03-28T04:00")) // the clock goes from 02:00 to 03:00
	away := meeting("alice", "Away", "2027-03-20", "2027-03-30")
	away.Event.AllDay = true
	ask[saved](me, "POST", "events", away)

	w := openBrowser(t, o.url)()
	w.scheme("light")
	w.signIn("alice")
	w.open("/calendar/week/2027-03-22")
	w.until(`document.querySelectorAll(".box").length === 6 && document.querySelector(".bar.whole.from.to")`)
	if dir := eval[string](w, `getComputedStyle([...document.querySelectorAll(".box .what")].find(b => b.innerText.includes("اجتماع"))).direction`); dir != "rtl" {
		t.Errorf("the Arabic title runs %s", dir)
	}
	if over := eval[int](w, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		t.Errorf("a long title makes the page %d pixels wider than the screen", over)
	}
	w.shot("stranger-week")
	press := func(title string) {
		t.Helper()
		w.tabTo(fmt.Sprintf(`f.classList.contains("box") && f.innerText.includes(%q)`, title))
		w.keys(kb.Enter)
		w.until(fmt.Sprintf(`document.querySelector("dialog[open] h2")?.innerText.includes(%q)`, title))
	}
	press("Crowd")
	w.says("500 no answer yet")
	w.until(`document.querySelectorAll("dialog[open] .guests li").length === 25`)
	w.shot("stranger-crowd")
	w.press("Show all 501")
	w.until(`document.querySelectorAll("dialog[open] .guests li").length === 501`)
	w.press("Edit")
	w.until(`document.querySelectorAll("dialog[open] .attendees .guests li").length === 500`)
	w.fill(`input[name=location]`, "Hall")
	w.says("Save and send to 500 people")
	w.press("Save and send to 500 people")
	w.until(`!document.querySelector("dialog[open]")`)
	if e := ask[eventOnWire](me, "GET", crowd.path(), nil); e.Event.Location != "Hall" || len(e.Event.Attendees) != 501 {
		t.Errorf("the crowd: %q, %d attendees", e.Event.Location, len(e.Event.Attendees))
	}
	press("Tokyo")
	w.says("26 March 2027, 10:00–11:00")
	w.says("18:00–19:00 in Asia/Tokyo")
	w.keys(kb.Escape)
	w.until(`!document.querySelector("dialog[open]")`)
	press("Night shift")
	w.says("23:00 – Sunday, 28 March 2027, 04:00")
	w.keys(kb.Escape)
	if e := ask[eventOnWire](me, "GET", night.path()+"?zone=UTC", nil); e.Start != "2027-03-27T22:00" || e.End != "2027-03-28T02:00" {
		t.Errorf("the night of four hours: %s to %s", e.Start, e.End)
	}
	w.quiet()
}
