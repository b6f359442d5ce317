package web

import (
	"fmt"
	"strings"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/itip"
)

// sending is one line of a preview.
type sending struct {
	To       string `json:"to"`
	Name     string `json:"name"`
	Method   string `json:"method"`
	Sentence string `json:"sentence"`
}

func (a *app) postPreview(r *request) (any, error) {
	var body struct {
		Place      *place `json:"place"`
		Edit       *edit  `json:"edit"`
		Occurrence string `json:"occurrence"`
		Following  bool   `json:"following"`
	}
	if err := r.read(&body); err != nil {
		return nil, err
	}
	var sent []calendar.Sent
	preview := func(req calendar.PutRequest, err error) error {
		if err != nil {
			return err
		}
		res, err := a.o.Calendar.Preview(r.ctx(), req)
		sent = res.Sent
		return err
	}
	var err error
	switch {
	case body.Edit != nil && body.Place == nil:
		err = preview(a.creation(r, *body.Edit))
	case body.Edit != nil && body.Edit.Following:
		var c *cut
		if c, err = a.cutting(r, *body.Place, "", *body.Edit); err != nil {
			break
		}
		if c == nil {
			body.Edit.Occurrence = ""
			err = preview(a.change(r, *body.Place, "", *body.Edit))
			break
		}
		if err = preview(c.head, nil); err == nil {
			first := sent
			err = preview(c.tail, nil)
			sent = append(first, sent...)
		}
	case body.Edit != nil:
		err = preview(a.change(r, *body.Place, "", *body.Edit))
	case body.Place != nil:
		put, del, e := a.removal(r, *body.Place, "", body.Occurrence, body.Following)
		switch {
		case e != nil:
			err = e
		case put != nil:
			err = preview(*put, nil)
		default:
			sent, err = a.o.Calendar.PreviewDelete(r.ctx(), *del)
		}
	default:
		err = problem.New(problem.BadInput, "A preview needs an event or an edit.")
	}
	if err != nil {
		return nil, err
	}
	return sendings(sent), nil
}

// sendings words what would be sent, one line for each person and kind of
// message: a series may need several messages that say one thing.
func sendings(list []calendar.Sent) []sending {
	out := []sending{}
	at := map[string]int{}
	count := map[string]int{}
	for _, s := range list {
		if s.Refresh {
			continue
		}
		key := s.To.Key() + " " + noun(s)
		count[key]++
		i, again := at[key]
		if again {
			out[i].Sentence = fmt.Sprintf("%s for %d parts of the series%s", noun(s), count[key], way(s))
			continue
		}
		at[key] = len(out)
		out = append(out, sending{To: string(s.To), Name: nameIn(s), Method: string(s.Method), Sentence: noun(s) + about(s) + way(s)})
	}
	return out
}

// noun is what the recipient gets.
func noun(s calendar.Sent) string {
	switch s.Method {
	case itip.Request:
		if len(s.Changes) > 0 {
			return "gets an update"
		}
		return "gets an invitation"
	case itip.Cancel:
		return "gets a cancellation"
	case itip.Reply:
		return "gets your answer"
	}
	return "gets a message (" + strings.ToLower(string(s.Method)) + ")"
}

func about(s calendar.Sent) string {
	if s.RecurrenceID != "" {
		return " for this occurrence"
	}
	return ""
}

func way(s calendar.Sent) string {
	if s.Local {
		return ", at once"
	}
	return ", by mail"
}

// nameIn is what the event calls the recipient.
func nameIn(s calendar.Sent) string {
	if s.Calendar == nil {
		return ""
	}
	for _, c := range s.Calendar.Main() {
		if s.Method == itip.Reply {
			if o, ok := itip.Organizer(c); ok && o.Address.Equal(s.To) {
				return o.CN
			}
			continue
		}
		for _, p := range itip.Attendees(c) {
			if p.Address.Equal(s.To) {
				return p.CN
			}
		}
	}
	return ""
}
