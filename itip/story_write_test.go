package itip_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

// inputs gives an arrival what its person decided beforehand.
func (w *world) inputs(who string, a *itip.Arrival) {
	a.Consent = func(principal, designate ical.Address) bool {
		return w.consent[personOf(principal)+" "+personOf(designate)]
	}
	a.Member = func(group, member ical.Address) bool { return w.members[personOf(group)+" "+personOf(member)] }
	a.Invited = w.token
	a.NoDelegation, a.Crashers = w.strict[who], w.crashers
	a.Refreshes = func(o ical.Address) bool { return w.answers[personOf(o)] }
	a.Busy = func(_ ical.Address, from, to time.Time) (itip.Disclosure, []freebusy.Period) {
		return w.told[who], w.busy[who]
	}
}

// isBusy: "busy bob tells 20260302T100000Z/20260302T110000Z …".
func (w *world) isBusy(who string, f []string) {
	w.told[who] = map[string]itip.Disclosure{"tells": itip.Disclose, "refuses": itip.Refusal, "silent": itip.Silence}[f[0]]
	for _, s := range f[1:] {
		from, to, _ := strings.Cut(s, "/")
		p := freebusy.Period{From: w.instant(from), To: w.instant(to), Type: freebusy.BusyTime}
		w.busy[who] = append(w.busy[who], p)
	}
}

func (w *world) instant(s string) time.Time {
	w.t.Helper()
	t, err := time.Parse("20060102T150405Z", s)
	if err != nil {
		w.t.Fatalf("%s:%d: %v", w.file, w.line, err)
	}
	return t
}

// write tells of the messages that no change causes.
func (w *world) write(what, who string, f, block []string) {
	w.t.Helper()
	c := w.of(who)
	of := func(word string) string {
		if i := slices.Index(f, word); i >= 0 && i+1 < len(f) {
			return f[i+1]
		}
		return ""
	}
	from := itip.Copy{Object: c.object, Memory: c.memory, User: w.addresses(who), Now: w.now, Local: w.localFunc(), Zone: w.zone}
	if by := of("by"); by != "" {
		from.By = address(by)
	}
	var out []itip.Message
	keep := func(m itip.Message, mem itip.Memory, err error) {
		if w.failure = err; err == nil {
			c.memory, out = mem, []itip.Message{m}
		}
	}
	switch what {
	case "propose":
		keep(from.Propose(w.proposal(of("of"), block)))
	case "askrefresh":
		keep(from.Refresh(of("of")))
	case "askstatus":
		keep(from.AskStatus(address(f[0])))
	case "state":
		w.whole = true
		keep(from.State(address(f[0])))
	case "turnaway":
		keep(from.TurnAway(address(f[0]), of("of")))
	case "forward":
		m, err := itip.Forward(w.invited[who], w.addresses(who)[0], address(f[0]))
		if w.failure = err; err == nil {
			if string(m.Calendar.Bytes()) != string(w.invited[who].Bytes()) {
				w.errorf("the forwarded object differs from the one that came")
			}
			out = []itip.Message{m}
		}
	case "publish":
		var to []ical.Address
		for _, n := range f {
			to = append(to, address(n))
		}
		list, mem, err := from.Publish(to...)
		if w.failure = err; err == nil {
			c.memory, out = mem, list
		}
	case "delegate":
		cal, err := itip.Delegate(c.object, c.memory, w.addresses(who), address(f[0]), slices.Contains(f, "keep"), of("of"))
		if w.failure = err; err == nil {
			w.put(who, cal, nil, false)
		}
		return
	case "split":
		head, tail, err := itip.Split(c.object, f[0], f[1])
		if w.failure = err; err == nil {
			w.tail = tail
			w.put(who, head, nil, false)
		}
		return
	case "splittail":
		w.put(who, w.tail, nil, false)
		return
	case "takeup":
		cal, err := itip.TakeUp(c.object, w.counter[who], w.zone)
		if w.failure = err; err == nil {
			w.put(who, cal, nil, false)
		}
		return
	case "dismiss":
		m, mem, ok := itip.DeclineProposal(c.object, c.memory, w.counter[who], address(f[0]), w.now, w.zone)
		if !ok {
			w.errorf("nobody to tell")
			return
		}
		c.memory, out = mem, []itip.Message{m}
	case "askbusy":
		out = []itip.Message{itip.AskFreeBusy(w.uid, w.addresses(who)[0], address(f[0]), w.instant(f[1]), w.instant(f[2]), w.now)}
	}
	w.post(out)
	w.whole = false
}

// proposal reads "DTSTART…", "DTEND…", "LOCATION…", "RRULE…", "COMMENT:…",
// "PARTSTAT:…" and "ATTENDEE…" lines.
func (w *world) proposal(id string, block []string) itip.Proposal {
	w.t.Helper()
	p := itip.Proposal{RecurrenceID: id}
	for _, l := range block {
		q := property(expand(l))
		when := func() ical.Time {
			t, err := q.Time()
			if err != nil {
				w.t.Fatalf("%s:%d: %v", w.file, w.line, err)
			}
			return t
		}
		switch q.Name() {
		case "DTSTART":
			p.Start = when()
		case "DTEND", "DUE":
			p.End = when()
		case "LOCATION":
			s := q.Text()
			p.Location = &s
		case "RRULE":
			s := q.Value()
			p.Rule = &s
		case "COMMENT":
			p.Comment = q.Text()
		case "PARTSTAT":
			p.PartStat = q.Value()
		case "ATTENDEE":
			p.Invite = append(p.Invite, q.Address())
		default:
			w.errorf("cannot propose %s", l)
		}
	}
	return p
}

// complete: the preview has a reason for everybody on either version of the
// event, once, and names every message.
func (w *world) complete(c itip.Change, out *itip.Outcome) {
	w.t.Helper()
	seen := map[string]bool{}
	told := map[int]bool{}
	for _, n := range out.People {
		k := n.Attendee.Key()
		if n.Reason == "" || n.Sentence() == "" || seen[k] {
			w.errorf("preview: %+v", n)
		}
		seen[k] = true
		for _, i := range n.Messages {
			told[i] = true
			if !out.Send[i].To.Equal(n.Attendee) && n.Attendee.Email() != "" {
				w.errorf("preview: message %d is for %s, not for %s", i, out.Send[i].To, n.Attendee)
			}
		}
	}
	if len(told) != len(out.Send) {
		w.errorf("preview names %d of %d messages", len(told), len(out.Send))
	}
	for _, cal := range []*ical.Calendar{c.Old, out.Object} {
		if cal == nil {
			continue
		}
		for _, comp := range cal.Main() {
			for _, a := range itip.Attendees(comp) {
				if !seen[a.Address.Key()] && !w.owns(c.User, a) {
					w.errorf("preview has nothing about %s", a.Address)
				}
			}
		}
	}
}

func (w *world) owns(user []ical.Address, a itip.Attendee) bool {
	return slices.ContainsFunc(user, a.Address.Equal) || a.Email != "" && slices.ContainsFunc(user, ical.Mailto(a.Email).Equal)
}

// expectPeople: "@bob invited" lines are the preview of the last save.
func (w *world) expectPeople(block []string) {
	w.t.Helper()
	for _, l := range block {
		f := strings.Fields(l)
		i := slices.IndexFunc(w.people, func(n itip.Notice) bool { return n.Attendee.Equal(address(f[0][1:])) })
		switch {
		case i < 0:
			w.errorf("the preview says nothing about %s", f[0])
		case w.people[i].Reason != f[1]:
			w.errorf("the preview says %q of %s, want %s", w.people[i].Reason, f[0], f[1])
		}
	}
}

// expectOccurrences: "occurrences bob 19" and lines of starts in UTC that must
// be among them, "! start" of those that must not.
func (w *world) expectOccurrences(who string, f, block []string) {
	w.t.Helper()
	cal := w.of(who).object
	if cal == nil {
		w.errorf("%s has no object", who)
		return
	}
	s, err := recur.New(cal, tz.NewResolver(cal, w.zone), recur.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	var have []string
	for o := range s.All() {
		if len(have) == 1000 {
			break
		}
		if o.Component.Value("STATUS") != "CANCELLED" {
			have = append(have, o.From.UTC().Format("20060102T150405Z"))
		}
	}
	slices.Sort(have)
	if len(f) > 0 && f[0] != strconv.Itoa(len(have)) {
		w.errorf("%s has %d occurrences, want %s: %v", who, len(have), f[0], have)
	}
	for _, l := range block {
		if t, not := strings.CutPrefix(l, "! "); slices.Contains(have, t) == not {
			w.errorf("occurrences of %s: %q wanted; there are %v", who, l, have)
		}
	}
}

// expectBusy: the periods that somebody read of the last VFREEBUSY message.
func (w *world) expectBusy(who string, block []string) {
	w.t.Helper()
	r := w.last[who]
	if r == nil || r.FreeBusy == nil {
		w.errorf("%s got no free/busy time", who)
		return
	}
	var have []string
	for _, p := range r.FreeBusy.Periods {
		have = append(have, p.From.UTC().Format("20060102T150405Z")+"/"+p.To.UTC().Format("20060102T150405Z")+" "+p.Type)
	}
	if r.FreeBusy.Status != "2.0" {
		have = append(have, r.FreeBusy.Status)
	}
	if !slices.Equal(have, block) {
		w.errorf("%s read %q, want %q", who, have, block)
	}
}

// strict holds what is sent against the strict validator.
func strict(cal *ical.Calendar) []string {
	var out []string
	for _, f := range check.Check(cal, check.Options{}) {
		if f.Severity == check.Error {
			out = append(out, f.String())
		}
	}
	return out
}

// The list of scenarios names every story, and nothing else.
func TestStoriesAreListed(t *testing.T) {
	page, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/stories/*.txt")
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile(`\(stories/([a-z0-9-]+)\.txt\)`).FindAllStringSubmatch(string(page), -1) {
		listed[m[1]] = true
		if _, err := os.Stat("testdata/stories/" + m[1] + ".txt"); err != nil {
			t.Errorf("the list names %s, which is no story", m[1])
		}
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".txt"); !listed[name] {
			t.Errorf("the list does not name %s", name)
		}
	}
}
