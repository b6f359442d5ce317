package web

import (
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// sending is one line of a preview.
type sending struct {
	To       string   `json:"to"`
	Name     string   `json:"name"`
	Method   string   `json:"method"` // empty: hears nothing
	Sentence string   `json:"sentence"`
	Changes  []string `json:"changes"` // sentences: what the recipient reads
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
	z, err := a.zone(r, r.URL.Query().Get("zone"))
	if err != nil {
		return nil, err
	}
	var result calendar.PutResult
	preview := func(req calendar.PutRequest, err error) error {
		if err != nil {
			return err
		}
		result, err = a.o.Calendar.Preview(r.ctx(), req)
		return err
	}
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
			first := result
			err = preview(c.tail, nil)
			result.Sent = append(first.Sent, result.Sent...)
			result.Silent = nil // who hears nothing of one half mostly hears of the other
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
			result, err = a.o.Calendar.PreviewDelete(r.ctx(), *del)
		}
	default:
		err = problem.New(problem.BadInput, "A preview needs an event or an edit.")
	}
	if err != nil {
		return nil, err
	}
	return sendings(result, z), nil
}

// sendings puts a preview on the wire; times in it are told in the zone z.
func sendings(r calendar.PutResult, z *tz.Zone) []sending {
	out := []sending{}
	for _, n := range calendar.Notices(r) {
		s := sending{To: string(n.To), Name: n.Name, Method: string(n.Method), Sentence: n.Sentence, Changes: []string{}}
		for _, d := range n.Changes {
			s.Changes = append(s.Changes, d.Sentence(z))
		}
		out = append(out, s)
	}
	return out
}
