package calendar

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// Silent is somebody of an event who gets no message about a change, and why.
type Silent struct {
	Address ical.Address
	Name    string
	Why     string // after "hears nothing: "
}

// Preview is Put without its effects: it says what would be stored and sent,
// and who would hear nothing.
func (s *Service) Preview(ctx context.Context, req PutRequest) (PutResult, error) {
	d, err := s.prepare(req)
	if err != nil {
		return PutResult{}, err
	}
	return s.preview(ctx, func(tx *store.Tx) (change, error) {
		ch, err := s.change(tx, req, d)
		if err != nil {
			return ch, err
		}
		return ch, s.invite(tx, &ch)
	})
}

// PreviewDelete says what Delete would do.
func (s *Service) PreviewDelete(ctx context.Context, req DeleteRequest) (PutResult, error) {
	return s.preview(ctx, func(tx *store.Tx) (change, error) { return s.removal(tx, req) })
}

func (s *Service) preview(ctx context.Context, what func(*store.Tx) (change, error)) (PutResult, error) {
	var res PutResult
	err := s.store.View(ctx, func(tx *store.Tx) error {
		ch, err := what(tx)
		if err != nil {
			return err
		}
		p, err := s.plan(tx, ch)
		if err != nil {
			return err
		}
		res = PutResult{Created: ch.old == nil, Rewritten: p.out.Rewritten, Sent: sentOf(p.out.Send, nil, p.dir), Changes: p.out.Changes, Silent: s.silent(ch, p)}
		return p.dir.err
	})
	return res, err
}

// silent lists the people of a change who get no message, with the reason.
func (s *Service) silent(ch change, p planned) []Silent {
	told := map[string]bool{}
	refreshed := map[string]bool{}
	for _, m := range p.out.Send {
		if m.Refresh {
			refreshed[m.To.Key()] = true
		} else {
			told[m.To.Key()] = true
		}
	}
	var cals []*ical.Calendar
	if ch.new != nil && p.out.Object != nil {
		cals = append(cals, p.out.Object)
	}
	if len(p.oldBody) > 0 {
		if old, err := ical.ParseLimits(p.oldBody, s.parseLimits()); err == nil {
			cals = append(cals, old)
		}
	}
	var out []Silent
	add := func(address ical.Address, name, why string) {
		if key := address.Key(); !told[key] && !containsAddress(p.user, address) {
			told[key] = true
			out = append(out, Silent{address, name, why})
		}
	}
	for i, cal := range cals {
		for _, c := range cal.Main() {
			if p.out.Role == itip.AttendeeRole {
				if o, ok := itip.Organizer(c); ok {
					add(o.Address, o.CN, whyNoAnswer(ch, o))
				}
				continue
			}
			for _, a := range itip.Attendees(c) {
				switch {
				case a.ScheduleAgent != "SERVER":
					add(a.Address, a.CN, "your calendar program, or you, told the server that it is not to write to them")
				case a.Address.Email() == "" && a.Email == "":
					add(a.Address, a.CN, "that is no address for messages")
				case refreshed[a.Address.Key()]:
					add(a.Address, a.CN, "only their copy is brought up to date")
				case a.PartStat == "DELEGATED" && !a.RSVP:
					add(a.Address, a.CN, fmt.Sprintf("they sent %s and did not ask to be kept informed", list(a.DelegatedTo)))
				case strings.HasPrefix(a.ScheduleStatus, "3.7") || strings.HasPrefix(a.ScheduleStatus, "5.2") || strings.HasPrefix(a.ScheduleStatus, "5.3"):
					add(a.Address, a.CN, "the invitation never reached them (status "+a.ScheduleStatus+")")
				case i == 0 && ch.new != nil && strings.EqualFold(c.Value("STATUS"), "CANCELLED"):
					add(a.Address, a.CN, "the event was called off already")
				default:
					add(a.Address, a.CN, "nothing changes for them")
				}
			}
		}
	}
	return out
}

func whyNoAnswer(ch change, o itip.Attendee) string {
	switch {
	case o.ScheduleAgent != "SERVER":
		return "another program answers for this invitation"
	case ch.new == nil && ch.reply == itip.ReplySuppress:
		return "you asked for no answer"
	case ch.new == nil:
		return "there is nothing to take back"
	}
	return "your answer is the same, and the rest is your own affair"
}

func list(addresses []ical.Address) string {
	var out []string
	for _, a := range addresses {
		out = append(out, bare(string(a)))
	}
	if len(out) == 0 {
		return "somebody else"
	}
	return strings.Join(out, ", ")
}

// Notice is one line of a preview, for people: who would get what, or nothing
// and why.
type Notice struct {
	To       ical.Address
	Name     string
	Method   itip.Method // "" = nothing is sent
	Sentence string      // "gets an invitation, by mail"
	Changes  []itip.Difference
}

// Notices words what a change would send, or has sent, one line for each person
// and kind of message (a series may need several that say one thing), then who
// hears nothing.
func Notices(r PutResult) []Notice {
	out := []Notice{}
	at := map[string]int{}
	count := map[string]int{}
	for _, x := range r.Sent {
		if x.Refresh {
			continue
		}
		key := x.To.Key() + " " + noun(x)
		count[key]++
		if i, again := at[key]; again {
			out[i].Sentence = fmt.Sprintf("%s for %d parts of the series%s", noun(x), count[key], way(x))
			for _, d := range x.Changes {
				if !slices.Contains(out[i].Changes, d) {
					out[i].Changes = append(out[i].Changes[:len(out[i].Changes):len(out[i].Changes)], d)
				}
			}
			continue
		}
		at[key] = len(out)
		out = append(out, Notice{To: x.To, Name: nameIn(x), Method: x.Method, Sentence: noun(x) + about(x) + way(x), Changes: x.Changes})
	}
	for _, x := range r.Silent {
		out = append(out, Notice{To: x.Address, Name: x.Name, Sentence: "hears nothing: " + x.Why})
	}
	return out
}

// noun is what the recipient gets.
func noun(x Sent) string {
	switch x.Method {
	case itip.Request:
		if len(x.Changes) > 0 {
			return "gets an update"
		}
		return "gets an invitation"
	case itip.Cancel:
		return "gets a cancellation"
	case itip.Reply:
		return "gets your answer"
	case itip.Counter:
		return "gets your proposal"
	case itip.DeclineCounter:
		return "hears that the proposal was declined"
	case itip.Refresh:
		return "is asked for the present state"
	case itip.Publish:
		return "gets it for information"
	}
	return "gets a message (" + strings.ToLower(string(x.Method)) + ")"
}

func about(x Sent) string {
	if x.RecurrenceID != "" {
		return " for this occurrence"
	}
	return ""
}

func way(x Sent) string {
	if x.Local {
		return ", at once"
	}
	return ", by mail"
}

// nameIn is what the event calls the recipient.
func nameIn(x Sent) string {
	if x.Calendar == nil {
		return ""
	}
	for _, c := range x.Calendar.Main() {
		if x.Method == itip.Reply || x.Method == itip.Counter || x.Method == itip.Refresh {
			if o, ok := itip.Organizer(c); ok && o.Address.Equal(x.To) {
				return o.CN
			}
			continue
		}
		for _, p := range itip.Attendees(c) {
			if p.Address.Equal(x.To) {
				return p.CN
			}
		}
	}
	return ""
}
