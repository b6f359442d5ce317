package itip_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/harness/shared"
	"github.com/convene-cal/convene/itip"
)

var sectionLine = regexp.MustCompile(`^(4\.\d+(?:\.\d+)?)\.  \S`)

// examples reads the objects of RFC 5546 section 4, by section, where the RFC
// lies beside the project.
func examples(t *testing.T) map[string][]*ical.Calendar {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(shared.Dir(t), "specs", "rfc5546.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]*ical.Calendar{}
	section, inside := "", false
	var cur []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n\f ")
		if m := sectionLine.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		// Examples are indented by six blanks, their folded lines by seven.
		text, indented := strings.CutPrefix(line, "      ")
		if strings.TrimSpace(line) == "BEGIN:VCALENDAR" {
			inside, cur = true, nil
		}
		if !inside || !indented || text == "" {
			continue
		}
		cur = append(cur, text)
		if strings.TrimSpace(line) == "END:VCALENDAR" {
			inside = false
			cal, err := ical.Parse([]byte(strings.Join(cur, "\r\n") + "\r\n"))
			if err != nil {
				t.Errorf("%s: %v\n%s", section, err, strings.Join(cur, "\n"))
				continue
			}
			out[section] = append(out[section], cal)
		}
	}
	return out
}

// rfcPerson is somebody of the RFC's cast, with one calendar object.
type rfcPerson struct {
	t    *testing.T
	user ical.Address
	copyOf
}

func (p *rfcPerson) get(cal *ical.Calendar, from string) *itip.Result {
	p.t.Helper()
	r, err := itip.Apply(itip.Arrival{Stored: p.object, Memory: p.memory, Message: cal, User: []ical.Address{p.user}, From: ical.Mailto(from),
		Received: time.Date(1998, 1, 1, 0, 0, 0, 0, time.UTC), AutoAdd: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.memory = r.Memory
	if r.Object != nil {
		p.object = r.Object
	}
	return r
}

func (p *rfcPerson) want(r *itip.Result, d itip.Decision, reason string) {
	p.t.Helper()
	if r.Decision != d || r.Reason != reason {
		p.t.Errorf("got %s %s (%s), want %s %s", r.Decision, r.Reason, r.Sentence, d, reason)
	}
}

func (p *rfcPerson) starts() []string {
	p.t.Helper()
	s, err := recur.New(p.object, tz.NewResolver(p.object, nil), recur.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	var out []string
	for o := range s.All() {
		if o.Component.Value("STATUS") != "CANCELLED" {
			out = append(out, o.From.UTC().Format("0102T1504"))
		}
	}
	return out
}

func (p *rfcPerson) answer(address string) string {
	for _, a := range itip.Attendees(p.object.Master()) {
		if a.Address.Email() == address {
			return a.PartStat
		}
	}
	return "absent"
}

func TestRFC5546GroupEvent(t *testing.T) {
	ex := examples(t)
	const a, b = "a@example.com", "b@example.com"
	// 4.2.2: the organizer's copy, as its client has it, gets B's answer.
	organizer := &rfcPerson{t: t, user: ical.Mailto(a)}
	out, err := itip.Plan(itip.Change{New: ex["4.2.1"][0], User: []ical.Address{organizer.user}, Import: true})
	if err != nil {
		t.Fatal(err)
	}
	organizer.object, organizer.memory = out.Object, out.Memory
	organizer.want(organizer.get(ex["4.2.2"][0], b), itip.Applied, itip.ReasonAnswered)
	if got := organizer.answer(b); got != "ACCEPTED" {
		t.Errorf("B is %s", got)
	}

	guest := &rfcPerson{t: t, user: ical.Mailto(b)}
	guest.want(guest.get(ex["4.2.1"][0], a), itip.Applied, itip.ReasonAdded)
	s := itip.Summarize(guest.object, nil)
	if s.From.Format("1504") != "2000" || s.To.Format("1504") != "2100" {
		t.Errorf("4.2.1 lasts from %v to %v", s.From, s.To)
	}
	answered, err := itip.Answer(guest.object, guest.memory, []ical.Address{guest.user}, "ACCEPTED", "", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	guest.object = answered
	guest.want(guest.get(ex["4.2.3"][0], a), itip.Applied, itip.ReasonUpdated)
	if got := guest.answer(b); got != "NEEDS-ACTION" || guest.starts()[0] != "0701T1800" {
		t.Errorf("after 4.2.3: %s %v", got, guest.starts())
	}
	guest.want(guest.get(ex["4.2.9"][0], a), itip.Applied, itip.ReasonCancelled)
	if len(guest.starts()) != 0 {
		t.Errorf("after 4.2.9: %v", guest.starts())
	}

	// 4.2.10, for B and for C; 4.2.11 is a question to C.
	removed := &rfcPerson{t: t, user: ical.Mailto(b)}
	removed.get(ex["4.2.1"][0], a)
	removed.want(removed.get(ex["4.2.10"][0], a), itip.Applied, itip.ReasonCancelled)
	other := &rfcPerson{t: t, user: "mailto:c@example.com"}
	other.get(ex["4.2.1"][0], a)
	other.want(other.get(ex["4.2.10"][1], a), itip.Applied, itip.ReasonUpdated)
	if got := other.answer(b); got != "absent" {
		t.Errorf("B is %s with C after 4.2.10", got)
	}
	replaced := ex["4.2.11"][0].Clone()
	replaced.Main()[0].Set("UID", other.object.UID()) // the example has another one
	other.want(other.get(replaced, b), itip.Held, itip.ReasonOrganizer)
}

func TestRFC5546Recurring(t *testing.T) {
	ex := examples(t)
	const a = "a@example.com"
	phone := &rfcPerson{t: t, user: "mailto:b@example.fr"}
	phone.want(phone.get(ex["4.4.1"][0], a), itip.Applied, itip.ReasonAdded)
	if got := phone.starts(); len(got) != 19 || got[0] != "0701T2100" || got[len(got)-1] != "1111T2200" {
		t.Errorf("4.4.1 takes place at %v", got)
	}

	guest := &rfcPerson{t: t, user: "mailto:b@example.com"}
	guest.want(guest.get(ex["4.4.2"][0], a), itip.Applied, itip.ReasonAdded)
	guest.want(guest.get(ex["4.4.2"][1], a), itip.Applied, itip.ReasonUpdated)
	if got := guest.starts(); len(got) != 16 || got[1] != "0703T2100" || got[2] != "0801T2100" {
		t.Errorf("4.4.2 takes place at %v", got)
	}
	tail := &rfcPerson{t: t, user: guest.user, copyOf: guest.copyOf}
	guest.want(guest.get(ex["4.4.3"][0], a), itip.Applied, itip.ReasonCancelled)
	if got := guest.starts(); len(got) != 15 || got[2] != "0901T2100" {
		t.Errorf("4.4.3 takes place at %v", got)
	}
	tail.copyOf = guest.copyOf
	guest.want(guest.get(ex["4.4.4"][0], a), itip.Applied, itip.ReasonCancelled)
	if got := guest.starts(); len(got) != 0 {
		t.Errorf("4.4.4 takes place at %v", got)
	}

	tail.want(tail.get(ex["4.4.5"][0], a), itip.Applied, itip.ReasonUpdated)
	s, err := recur.New(tail.object, tz.NewResolver(tail.object, nil), recur.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seattle := 0
	for o := range s.All() {
		if strings.Contains(o.Component.Text("LOCATION"), "Seattle") {
			seattle++
		}
	}
	if seattle != 13 {
		t.Errorf("after 4.4.5 %d occurrences are in Seattle, want 13", seattle)
	}
}

// Every example, to everyone, with every other as what is stored: understood
// or refused with a sentence, and nothing changed without saying so.
func TestRFC5546ExamplesAreUnderstood(t *testing.T) {
	ex := examples(t)
	var all []*ical.Calendar
	for _, list := range ex {
		all = append(all, list...)
	}
	if len(all) < 45 {
		t.Fatalf("found %d examples only", len(all))
	}
	for _, stored := range append(all, nil) {
		for _, msg := range all {
			for _, user := range []ical.Address{"mailto:a@example.com", "mailto:b@example.com"} {
				r, err := itip.Apply(itip.Arrival{Stored: stored, Message: msg, User: []ical.Address{user}, AutoAdd: true, Received: time.Date(1998, 1, 1, 0, 0, 0, 0, time.UTC)})
				if err != nil || r.Sentence == "" || r.Reason == "" || (r.Object != nil) != (r.Decision == itip.Applied) {
					t.Fatalf("%v %+v\n%s", err, r, msg.Bytes())
				}
			}
		}
	}
}
