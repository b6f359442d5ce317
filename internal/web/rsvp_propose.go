package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// answerPropose is the button of the form that proposes another time, among
// the answers.
const answerPropose = "PROPOSE"

// answerWithdraw is the button that takes a proposal back.
const answerWithdraw = "WITHDRAW"

// guestProposal is an open proposal on the page.
type guestProposal struct {
	ID                   int64
	Instead, When, There string
	Comment              string
}

// openProposals are what the guest proposed and nobody decided about. The page
// does without them where they cannot be read.
func (a *app) openProposals(r *http.Request, e store.Entry, reader itip.Reader) (out []guestProposal) {
	list, err := a.o.Calendar.GuestProposals(r.Context(), e.Account, e.UID, ical.Address(e.To))
	if err != nil {
		a.log.Error("proposals on an invitation's page", "error", err)
	}
	for _, p := range list {
		own := p.For(itip.Reader{Translate: reader.Translate})
		shown := guestProposal{ID: p.ID, When: own.When, Comment: p.Comment}
		if reader.Zone != nil {
			shown.There = whenThere(own, p.For(reader), reader.Zone)
		}
		if p.RecurrenceID != "" { // on the guest's clock, or the event's
			clock := reader
			if clock.Zone == nil {
				clock.Zone, _ = tz.Load(own.Zone) // where it is not known, UTC
			}
			shown.Instead = clock.Moment(p.RecurrenceID)
		}
		out = append(out, shown)
	}
	return out
}

// guestWithdraws takes the proposal back that the form names.
func (a *app) guestWithdraws(r *http.Request, e store.Entry) error {
	id, err := strconv.ParseInt(r.PostForm.Get("proposal"), 10, 64)
	if err != nil {
		return problem.New(problem.BadInput, "Say which proposal you take back.")
	}
	return a.o.Calendar.GuestWithdraw(r.Context(), e.Account, e.UID, ical.Address(e.To), id)
}

// guestWish is the form in which a guest proposes another time (RFC 5546 3.2.7).
type guestWish struct {
	AllDay     bool
	Input      string // the kind of input: a date, or a date with a time
	Clock      string // the zone that the times are read in
	Occurrence string // what was chosen
	Start, End string // clock readings, or the first and the last day
	Comment    string
}

// wishOf is the form as it is shown: what was typed where it was refused, else
// when the event, or its next occurrence, takes place now. Nil where the
// organizer takes no proposals, or nothing is left to be proposed for.
func (a *app) wishOf(r *http.Request, g calendar.Guest, z *tz.Zone, listed, refused bool) *guestWish {
	if !g.Proposals() || g.Recurring() && !listed {
		return nil
	}
	own := g.Summary
	if listed {
		own = g.Occurrences(a.now(), 1)[0].For(itip.Reader{})
	}
	if own.Start.IsZero() || own.From.IsZero() {
		return nil
	}
	f := &guestWish{AllDay: own.AllDay, Input: "datetime-local", Clock: own.Zone}
	if z != nil {
		f.Clock = z.Name()
	}
	switch {
	case refused && r.PostForm.Get("answer") == answerPropose:
		f.Occurrence, f.Start, f.End, f.Comment = r.PostForm.Get("occurrence"), r.PostForm.Get("start"), r.PostForm.Get("end"), r.PostForm.Get("comment")
	case f.AllDay:
		f.Start, f.End = own.Start.Wall.Format(time.DateOnly), lastDay(own).Format(time.DateOnly)
	case z != nil:
		f.Start, f.End = wallOf(z, own.From), wallOf(z, own.To)
	default:
		f.Start = own.Start.Wall.Format(wallFormat)
		if own.End.Kind == own.Start.Kind && own.End.TZID == own.Start.TZID {
			f.End = own.End.Wall.Format(wallFormat)
		}
	}
	if f.AllDay {
		f.Input = "date"
	}
	return f
}

// lastDay of what takes whole days; DTEND is the day after (RFC 5545 3.6.1).
func lastDay(s itip.Summary) time.Time {
	if last := s.End.Wall.AddDate(0, 0, -1); last.After(s.Start.Wall) {
		return last
	}
	return s.Start.Wall
}

// guestProposes reads the form and hands the proposal on.
func (a *app) guestProposes(r *http.Request, e store.Entry, comment string, evidence []byte) error {
	z, unknown := zoneAsked(r)
	if unknown != "" { // the times mean something else then
		return problem.New(problem.BadInput, "Nothing was sent. %s", unknown)
	}
	p := calendar.GuestProposal{RecurrenceID: r.PostForm.Get("occurrence"), Comment: comment}
	for _, field := range []struct {
		name string
		into *ical.Time
	}{{"start", &p.Start}, {"end", &p.End}} {
		t, err := guestTime(strings.TrimSpace(r.PostForm.Get(field.name)), field.name, z)
		if err != nil {
			return err
		}
		*field.into = t
	}
	if p.End.IsDate() && !p.End.IsZero() {
		p.End.Wall = p.End.Wall.AddDate(0, 0, 1)
	}
	return a.o.Calendar.GuestPropose(r.Context(), e.Account, e.UID, ical.Address(e.To), p, evidence)
}

// guestTime reads a clock reading of the guest's zone, floating where it is the
// event's own.
func guestTime(text, what string, z *tz.Zone) (ical.Time, error) {
	if len(text) > len("2006-01-02T15:04:05.000") { // no browser writes more
		return ical.Time{}, problem.New(problem.BadInput, "The %s is not a date with a time.", what)
	}
	if z != nil {
		return wallIn(text, what, z)
	}
	t, err := wallIn(text, what, tz.UTC)
	if t.Kind == ical.UTC && !t.IsZero() {
		t.Kind = ical.Floating
	}
	return t, err
}
