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
	Why     string // a sentence, or what follows the name in one
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
		res = PutResult{Created: ch.old == nil, Rewritten: p.out.Rewritten, Sent: sentOf(p.out.Send, nil, p.dir), Changes: p.out.Changes, Silent: silent(p.out.People)}
		return p.dir.err
	})
	if err != nil {
		return res, err
	}
	for i := range res.Sent {
		if x := &res.Sent[i]; !x.Local && s.journal != nil {
			x.Way = s.journal.Way(ctx, x.To)
		}
	}
	return res, nil
}

// silent lists the people of a change who get no message, with the reason.
func silent(people []itip.Notice) []Silent {
	var out []Silent
	for _, n := range people {
		if n.Reason == itip.NoticeRefreshed || len(n.Messages) == 0 && n.Reason != itip.NoticeOwner {
			why := strings.TrimSuffix(n.Sentence(), ".")
			out = append(out, Silent{n.Attendee, n.Name, strings.TrimPrefix(why, n.Name+" ")})
		}
	}
	return out
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
		out = append(out, Notice{To: x.Address, Name: x.Name, Sentence: x.Why})
	}
	return out
}

// noun is what the recipient gets.
func noun(x Sent) string {
	switch x.Method {
	case itip.Request:
		if x.Calendar != nil && x.Calendar.Kind() == "VFREEBUSY" {
			return "is asked when they are busy"
		}
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
	switch {
	case x.Local:
		return ", at once"
	case x.Way == "cip":
		return ", by CIP"
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
