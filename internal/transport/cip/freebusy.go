package cip

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
)

// stranger is the actor of a server that has shown who it is: what everybody
// who is signed in may know, its users may.
var stranger = account.Actor{Account: -1, Name: "peer", Via: Name}

// inquiry is the key under which a context holds the server ids that another
// server's question came through: people of other services are asked about for
// it where a group of ours has them.
type inquiry struct{}

// FreeBusy implements [cip.Session] (section 2.4). Who may not be asked about
// is not found: that somebody exists is not told either. A group is busy when
// any of its members is; where not all of them are known the completion says
// that the answer is not all there is.
func (s *session) FreeBusy(ctx context.Context, q *cip.Query) (cip.Reply, []cip.Busy) {
	if s.refused {
		return busy(), nil
	}
	by := s.id.user
	switch {
	case s.id.server != "":
		by = stranger
		ctx = context.WithValue(ctx, inquiry{}, q.Trace)
	case s.id.anonymous() && q.Asker.ID != "":
		if _, ok := s.speaksFor(ctx, cip.ServerOf(q.Asker.ID)); ok {
			by = stranger
		}
	case s.id.anonymous() && s.c.o.AllowAnonymous == AnonymousYes:
		by = stranger
	}
	if by.Account == 0 {
		// Nobody is looked up for who may not know: neither the answer nor the
		// time it takes tells who exists, or who moved.
		r := cip.Reply{Text: "No such user here."}
		for _, w := range q.Attendees {
			r.Infos = append(r.Infos, cip.Info{Code: cip.NotFound, ID: w.ID})
		}
		return r, nil
	}
	var guests []guest
	err := s.c.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		guests, err = s.c.guests(tx, s.c.o.Calendar.Directory(tx), q.Attendees, nil)
		return err
	})
	if err != nil {
		return s.fault("FREEBUSY", err), nil
	}
	// a group that a question of ours came to is not opened again.
	circle := len(q.Trace) > maxTrace || slices.ContainsFunc(q.Trace, s.c.ours)
	var ask []ical.Address
	for i := range guests {
		if g := &guests[i]; !g.skip {
			if g.skip = circle && g.account.Kind == store.Group; g.skip {
				g.info = cip.Info{Code: cip.NotFound, ID: g.ID}
				continue
			}
			ask = append(ask, g.Address)
		}
	}
	var answers []calendar.FreeBusyAnswer
	if len(ask) > 0 {
		if answers, err = s.c.o.Calendar.FreeBusy(ctx, by, ask, q.From, q.To, ""); err != nil {
			return s.fault("FREEBUSY", err), nil
		}
	}
	r := cip.Reply{}
	unknown := 0
	var list []cip.Busy
	for _, g := range guests {
		if !g.skip {
			found := false
			for _, a := range answers {
				if found = a.Address == g.Address && strings.HasPrefix(a.Status, "2."); found {
					list = append(list, cip.Busy{Attendee: g.Person, From: q.From, To: q.To, Periods: a.Periods})
					unknown += a.Unknown
					break
				}
			}
			if found {
				continue
			}
			g.info = cip.Info{Code: cip.NotFound, ID: g.ID}
		}
		r.Infos = append(r.Infos, g.info)
	}
	switch {
	case len(list) == 0:
		r.Text = "No such user here."
	case len(r.Infos) > 0:
		r.OK, r.Code, r.Text = true, cip.CodePartial, "Not all users are of this server."
	case unknown > 0:
		r.OK, r.Code, r.Text = true, cip.CodePartial, "Not all members of a group are known."
	default:
		r.OK, r.Text = true, "FREEBUSY COMPLETED"
	}
	return r, list
}

// askTime is how long other servers have for telling when people are busy.
const askTime = 5 * time.Second

// question is what one server is asked: about people by name, or about those
// that a group of ours has there.
type question struct {
	server string
	group  ical.Address
}

// Elsewhere is a [calendar.Elsewhere]: it asks the servers of people of other
// services. Whoever is not answered for in time keeps the status there is. For
// another server only the members of groups are asked about, in the group's
// name, and in less time than that server waits.
func (c *CIP) Elsewhere(ctx context.Context, by account.Actor, who []*calendar.FreeBusyAnswer, from, to time.Time) {
	trace, relayed := ctx.Value(inquiry{}).([]string)
	patience := askTime
	if by == stranger {
		if !relayed {
			return
		}
		patience = askTime / time.Duration(2+len(trace))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if to.Sub(from) > cip.MaxSpan {
		return
	}
	asker := cip.Person{}
	if by != stranger {
		if list, err := c.o.Accounts.Addresses(ctx, by.Account); err == nil && len(list) > 0 {
			asker = person(list[0])
		}
	}
	trace = append(slices.Clone(trace), c.host())
	questions := map[question][]*calendar.FreeBusyAnswer{}
	for _, a := range who {
		q := question{cip.ServerOf(person(a.Address).ID), a.For}
		if q.group != "" && len(trace) > maxTrace || slices.Contains(trace, q.server) {
			continue
		}
		if c.Accepts(ctx, a.Address) && !c.silent.has(q.server) {
			questions[q] = append(questions[q], a)
		}
	}
	var wg sync.WaitGroup
	for q, list := range questions {
		about := cip.Query{From: from, To: to, Asker: asker}
		if q.group != "" {
			about.Trace = trace
		}
		if about.Asker.ID == "" && q.group != "" {
			about.Asker = person(q.group)
		}
		wg.Go(func() { c.ask(ctx, q.server, about, list) })
	}
	wg.Wait()
}

// person is who has an address.
func person(a ical.Address) cip.Person {
	id, _ := cip.UserID(a)
	return cip.Person{ID: id, Address: a}
}

// Statuses of answers (RFC 6638 3.2.9).
const (
	statusAnswered = "2.0;Success"
	statusNoUser   = "3.7;Invalid calendar user"
)

// ask fills in the answers of one server.
func (c *CIP) ask(ctx context.Context, server string, q cip.Query, list []*calendar.FreeBusyAnswer) {
	q.Form = c.peer(server).Body
	for len(list) > 0 {
		part := list[:min(len(list), cip.MaxAsked)]
		list = list[len(part):]
		q.Attendees = nil
		for _, a := range part {
			q.Attendees = append(q.Attendees, person(a.Address))
		}
		r, err := c.query(ctx, server, q.Encode(c.now()))
		if err != nil {
			if errors.Is(err, errNoService) || errors.Is(err, cip.ErrVersion) {
				c.absent.add(server, absentFor)
			}
			c.silent.add(server, silentFor)
			c.log.Debug("free/busy time of another service is not known", "server", server, "error", err)
			return
		}
		for _, i := range r.Infos {
			for _, a := range part {
				if id, _ := cip.UserID(a.Address); i.Code == cip.NotFound && strings.EqualFold(id, i.ID) {
					a.Status = statusNoUser
				}
			}
		}
		busy, err := cip.ParseBusy(r.Data)
		if err != nil {
			c.log.Warn("free/busy time of another service cannot be read", "server", server, "error", err)
			return
		}
		for _, b := range busy {
			for _, a := range part {
				if id, _ := cip.UserID(a.Address); strings.EqualFold(id, b.Attendee.ID) {
					a.Status, a.Periods = statusAnswered, clipTo(b, q.From, q.To)
				}
			}
		}
	}
}

// query sends one FREEBUSY; over a connection that was closed meanwhile, once more.
func (c *CIP) query(ctx context.Context, server string, body []byte) (cip.Reply, error) {
	for {
		l, err := c.connect(ctx, server)
		if err != nil {
			return cip.Reply{}, err
		}
		kept := l.used
		r, err := l.do(ctx, askTime, func() (cip.Reply, error) { return l.FreeBusy(body) })
		if err == nil {
			c.pool.put(l)
			return r, nil
		}
		l.conn.Close()
		if !kept || ctx.Err() != nil {
			return r, err
		}
	}
}

// clipTo keeps what lies within the time asked for: another server's word.
func clipTo(b cip.Busy, from, to time.Time) []freebusy.Period {
	list := []freebusy.Period{}
	for _, p := range b.Periods {
		if p.From.Before(from) {
			p.From = from
		}
		if p.To.After(to) {
			p.To = to
		}
		if p.From.Before(p.To) {
			list = append(list, p)
		}
	}
	return freebusy.Merge(list)
}
