package itip

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// refreshCopies brings the copies of those who are served here up to date
// (RFC 6638 4.2), but for the one who just answered.
func (p *applying) refreshCopies(o *object, but ical.Address) []Message {
	return refreshCopies(o, &p.mem, p.me, p.a.Local, p.a.Received, but)
}

// refreshCopies makes the messages; me is who keeps the object, but is left out (REP-15).
func refreshCopies(o *object, mem *Memory, me people, local func(ical.Address) bool, now time.Time, but ical.Address) []Message {
	org := o.organizer(nil)
	if org == nil || hidesGuests(o) {
		return nil // of a hidden list nobody's copy has the others
	}
	cache := keys{}
	rosters := map[string]*roster{}
	for _, k := range o.keys() {
		rosters[k] = rosterOf(o.component(k), cache)
	}
	living := o.living()
	on := rostersOf(living, rosters)
	var l letter
	drafts := map[string]*ical.Calendar{}
	seen := map[string]bool{but.Key(): true}
	var out []Message
	for _, k := range o.keys() {
		for _, who := range rosters[k].order {
			line := rosters[k].line(who)
			if seen[who] || me.is(line) || agent(line) != "SERVER" {
				continue
			}
			seen[who] = true
			to := line.Address()
			if !local(to) {
				continue
			}
			list := listed(living, on, who)
			if len(list) == 0 {
				continue
			}
			if len(out) == 0 {
				l = letter{o: o, stamp: mem.nextStamp(now)}
			}
			gone := uninvitedTo(o, rosters, who)
			id := strings.Join(list, ",") + " without " + strings.Join(gone, ",")
			cal := drafts[id]
			if cal == nil {
				cal = l.requestFor(o, list, gone, who)
				drafts[id] = cal
			}
			key := ""
			if len(list) == 1 {
				key = list[0]
			}
			m := l.message(Request, org.Address(), to, key, cal)
			m.Refresh = true
			out = append(out, m)
		}
	}
	return out
}
