package itip

import (
	"github.com/convene-cal/convene/ical"
)

// incomplete notes that the organizer has something that the copy lacks (RFC
// 5546 4.7.2), and asks for the whole where the organizer's program is known to
// answer (OTH-08); elsewhere the sentence tells the user. of is the copy, or
// the message where there is no copy.
func (p *applying) incomplete(of *object) {
	p.res.Incomplete = true
	org := of.organizer(nil)
	if org == nil || p.a.Refreshes == nil || !p.a.Refreshes(org.Address()) || agent(org) != "SERVER" {
		return
	}
	to := reachable(org, p.a.Local)
	var line *ical.Property
	for _, c := range of.cal.Main() {
		if line = p.me.line(c); line != nil {
			break
		}
	}
	key := org.Address().Key()
	if last := p.mem.Refreshed[key]; to == "" || line == nil || !last.IsZero() && p.a.Received.Sub(last) < refreshEvery {
		return
	}
	put(&p.mem.Refreshed, key, p.a.Received.UTC())
	w := &writing{letter: letter{o: of, stamp: p.mem.nextStamp(p.a.Received), zone: p.a.Zone}, c: Copy{Local: p.a.Local}, me: p.me}
	c := of.master
	if c == nil {
		c = of.cal.Main()[0]
	}
	out := w.identify(c)
	out.Remove("RECURRENCE-ID") // the whole
	out.Add(bare("ATTENDEE", line))
	p.res.Send = append(p.res.Send, w.message(Refresh, line.Address(), to, "", w.calendar(Refresh, out)))
}

// incompleteNote is what a sentence says of it.
func (p *applying) incompleteNote() string {
	switch {
	case !p.res.Incomplete:
		return ""
	case len(p.res.Send) > 0:
		return " It may be incomplete; the organizer is asked for the whole."
	}
	return " It may be incomplete: ask the organizer for the whole event."
}
