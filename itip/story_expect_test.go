package itip_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

func (w *world) expect(f, block []string) {
	w.t.Helper()
	switch f[0] {
	case "nothing":
		w.settled()
	case "refused":
		e, ok := w.failure.(*itip.Error)
		if !ok || len(f) > 1 && e.Condition != f[1] {
			w.errorf("want refusal %v, got %v", f[1:], w.failure)
			return
		}
		for _, l := range block {
			if !strings.Contains(e.Sentence, l) {
				w.errorf("sentence %q lacks %q", e.Sentence, l)
			}
		}
		w.failure = nil
	case "state":
		w.expectState(f[1], f[2:], block)
	case "none":
		if len(f) > 2 {
			if pick(w.of(f[1]).object, f[2]) != nil {
				w.errorf("%s has a component %s:\n%s", f[1], f[2], w.text(f[1]))
			}
			return
		}
		if w.of(f[1]).object != nil {
			w.errorf("%s has an object:\n%s", f[1], w.text(f[1]))
		}
	case "outcome":
		w.expectOutcome(f[1], f[2:], block)
	case "people":
		w.expectPeople(block)
	case "occurrences":
		w.expectOccurrences(f[1], f[2:], block)
	case "busy":
		w.expectBusy(f[1], block)
	default:
		w.expectMessages(f, block)
	}
	if w.failure != nil && f[0] != "refused" {
		w.errorf("refused: %v", w.failure)
		w.failure = nil
	}
}

func (w *world) expectOutcome(who string, want, block []string) {
	w.t.Helper()
	r := w.last[who]
	if r == nil {
		w.errorf("%s received nothing", who)
		return
	}
	if w.twice {
		return // the second delivery has its own outcome
	}
	for _, x := range want {
		ok := false
		switch x {
		case "notify":
			ok = r.Notify
		case "silent":
			ok = !r.Notify
		case "outdated":
			ok = r.Outdated || r.Reason == x
		case "incomplete":
			ok = r.Incomplete
		case "tag":
			ok = r.TagChanged
		case "sametag":
			ok = !r.TagChanged
		default:
			ok = x == string(r.Decision) || x == r.Reason
		}
		if !ok {
			w.errorf("want %s: got %s %s notify=%v tag=%v: %s", x, r.Decision, r.Reason, r.Notify, r.TagChanged, r.Sentence)
		}
	}
	for _, l := range block {
		if !strings.Contains(r.Sentence, l) {
			w.errorf("sentence %q lacks %q", r.Sentence, l)
		}
	}
}

func (w *world) expectState(who string, what, block []string) {
	w.t.Helper()
	cal := w.of(who).object
	if cal == nil {
		w.errorf("%s has no object", who)
		return
	}
	c := pick(cal, strings.Join(what, ""))
	if c == nil {
		w.errorf("%s has no component %v:\n%s", who, what, cal.Bytes())
		return
	}
	w.lines(c, block, string(cal.Bytes()))
}

// lines checks a component against a block: content that must be there, "!"
// content that must not, "@bob ACCEPTED" an answer, "components 2" a number.
func (w *world) lines(c *ical.Component, block []string, whole string) {
	w.t.Helper()
	var b strings.Builder
	for _, p := range c.Properties {
		b.WriteString(lineOf(p) + "\n")
	}
	for _, s := range c.Components {
		b.WriteString("BEGIN:" + s.Name + "\n")
	}
	text := b.String()
	for _, l := range block {
		switch {
		case strings.HasPrefix(l, "@"):
			f := strings.Fields(l)
			got := "absent"
			for _, a := range itip.Attendees(c) {
				if a.Address.Equal(address(f[0][1:])) {
					got = a.PartStat
					if len(f) > 2 && a.ScheduleStatus != f[2] {
						w.errorf("%s: SCHEDULE-STATUS %q, want %q", f[0], a.ScheduleStatus, f[2])
					}
				}
			}
			if got != f[1] {
				w.errorf("%s is %s, want %s in\n%s", f[0], got, f[1], whole)
			}
		case strings.HasPrefix(l, "! "):
			if strings.Contains(text, expand(l[2:])) {
				w.errorf("should not have %q:\n%s", l[2:], whole)
			}
		default:
			if !strings.Contains(text, expand(l)) {
				w.errorf("lacks %q:\n%s", l, whole)
			}
		}
	}
}

var methods = map[string]itip.Method{"request": itip.Request, "reply": itip.Reply, "cancel": itip.Cancel, "refresh": itip.Request,
	"counter": itip.Counter, "declinecounter": itip.DeclineCounter, "publish": itip.Publish, "ask": itip.Refresh}

// expectMessages: "request to bob, carol about 20260309T090000Z".
func (w *world) expectMessages(f, block []string) {
	w.t.Helper()
	method, ok := methods[f[0]]
	if !ok || len(f) < 3 || f[1] != "to" {
		w.t.Fatalf("%s:%d: cannot read expectation %v", w.file, w.line, f)
	}
	about, to := "", f[2:]
	if i := slices.Index(f, "about"); i > 0 {
		about, to = f[i+1], f[2:i]
	}
	for _, name := range to {
		name = strings.TrimSuffix(name, ",")
		i := slices.IndexFunc(w.unseen, func(p parcel) bool {
			return p.to == name && p.Method == method && p.RecurrenceID == about && p.Refresh == (f[0] == "refresh")
		})
		if i < 0 {
			var have []string
			for _, p := range w.unseen {
				have = append(have, fmt.Sprintf("%s to %s about %q refresh=%v", p.Method, p.to, p.RecurrenceID, p.Refresh))
			}
			w.errorf("no %s to %s about %q; there is %q", f[0], name, about, have)
			continue
		}
		m := w.unseen[i]
		w.unseen = slices.Delete(w.unseen, i, i+1)
		w.parts(m, block)
	}
}

// parts checks a message: its first component, or those named by "in".
func (w *world) parts(m parcel, block []string) {
	w.t.Helper()
	whole := string(m.Calendar.Bytes())
	cur := m.Calendar.Main()[0]
	var lines []string
	flush := func() {
		w.lines(cur, lines, whole)
		lines = nil
	}
	for _, l := range block {
		switch {
		case strings.HasPrefix(l, "in "):
			flush()
			if cur = pick(m.Calendar, l[3:]); cur == nil {
				w.errorf("message has no component %q:\n%s", l[3:], whole)
				return
			}
		case strings.HasPrefix(l, "components "):
			if n := fmt.Sprint(len(m.Calendar.Main())); n != l[len("components "):] {
				w.errorf("message has %s components, want %s:\n%s", n, l, whole)
			}
		case strings.HasPrefix(l, "changes "):
			var have []string
			for _, d := range m.Changes {
				have = append(have, d.Sentence(w.zone))
			}
			if !strings.Contains(strings.Join(have, "; "), l[len("changes "):]) {
				w.errorf("changes are %q, want %q", have, l)
			}
		default:
			lines = append(lines, l)
		}
	}
	flush()
}
