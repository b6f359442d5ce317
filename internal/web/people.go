package web

import (
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
)

// maxFound people of one search: what a list under a field can show.
const maxFound = 12

// found is a person, room or resource of the directory.
type found struct {
	Address string `json:"address"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
}

func (a *app) getDirectory(r *request) (any, error) {
	out := []found{}
	tokens := strings.Fields(r.URL.Query().Get("q"))
	if len(tokens) == 0 || len(tokens) > 8 {
		return out, nil
	}
	list, err := a.o.Accounts.Search(r.ctx(), tokens, maxFound)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.Disabled || len(m.Addresses) == 0 {
			continue
		}
		out = append(out, found{string(m.Addresses[0]), nameOf(m.Account), m.Kind})
	}
	return out, nil
}

// busyOnWire is one person's busy time on the reader's clock.
type busyOnWire struct {
	Address string       `json:"address"`
	Status  string       `json:"status"`
	Known   bool         `json:"known"`
	Unknown int          `json:"unknown"` // of a group: members whose time is not in it
	Missing []string     `json:"missing"` // those of them that can be named
	Periods []busyPeriod `json:"periods"`
}

type busyPeriod struct {
	Start string `json:"start"`
	End   string `json:"end"`
	Type  string `json:"type"`
}

func (a *app) postFreeBusy(r *request) (any, error) {
	var q struct {
		Addresses []string `json:"addresses"`
		From      string   `json:"from"`
		To        string   `json:"to"`
		Zone      string   `json:"zone"`
		UID       string   `json:"uid"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	z, err := a.zone(r, q.Zone)
	if err != nil {
		return nil, err
	}
	from, to, err := days(q.From, q.To, z)
	if err != nil {
		return nil, err
	}
	var who []ical.Address
	for _, address := range q.Addresses {
		who = append(who, ical.ParseAddress(address))
	}
	if len(who) == 0 {
		return nil, problem.New(problem.BadInput, "Whose busy time is wanted?")
	}
	answers, err := a.o.Calendar.FreeBusy(r.ctx(), r.who, who, from, to, q.UID)
	if err != nil {
		return nil, err
	}
	out := []busyOnWire{}
	for _, answer := range answers {
		b := busyOnWire{Address: string(answer.Address), Status: answer.Status, Known: strings.HasPrefix(answer.Status, "2."), Unknown: answer.Unknown, Missing: []string{}, Periods: []busyPeriod{}}
		for _, m := range answer.Missing {
			b.Missing = append(b.Missing, string(m))
		}
		for _, p := range answer.Periods {
			if p.Type == "FREE" {
				continue
			}
			b.Periods = append(b.Periods, busyPeriod{wallOf(z, p.From), wallOf(z, p.To), p.Type})
		}
		out = append(out, b)
	}
	return out, nil
}
