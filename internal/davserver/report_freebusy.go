package davserver

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
)

// freeBusyReport is RFC 4791 7.10: busy time as one VFREEBUSY, for everyone
// with the right to ask for it, who need not be allowed to read.
func (q *request) freeBusyReport(b *caldav.FreeBusyQuery) error {
	if err := q.inRange(&b.Range); err != nil {
		return err
	}
	c, err := q.collection(q.at)
	if err != nil {
		return err
	}
	if c.Access < acl.FreeBusy {
		return nothingAt(q.at)
	}
	from, to := b.Range.Start, b.Range.End
	// An open end reaches as far as the door answers at once.
	span := q.s.calendar.Limits().FreeBusySpan
	if from.IsZero() {
		from = to.Add(-span)
	}
	if to.IsZero() {
		to = from.Add(span)
	}
	periods, err := q.s.calendar.CalendarBusy(q.ctx, q.by, c.Account, []string{c.Name}, from, to)
	if err != nil {
		return err
	}
	cal := ical.New(q.s.calendar.ProdID())
	fb := freebusy.Component(periods, from, to)
	q.stamp(fb)
	cal.Components = append(cal.Components, fb)
	return q.sendCalendar(cal)
}

// stamp gives a component of ours the DTSTAMP it needs (RFC 5545 3.6.4), unless it has one.
func (q *request) stamp(c *ical.Component) {
	if c.Prop("DTSTAMP") == nil {
		c.Set("DTSTAMP", ical.UTCTime(q.s.now().UTC().Truncate(time.Second)).String())
	}
}

// postOutbox answers a VFREEBUSY request for each of its attendees
// (RFC 6638 5). Other messages are not sent this way: saving sends them.
func (q *request) postOutbox() error {
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	data, err := q.calendarBody()
	if err != nil {
		return err
	}
	ask, err := q.readFreeBusyRequest(r, data)
	if err != nil {
		return err
	}
	answers, err := q.s.calendar.FreeBusy(q.ctx, q.asOwner(r), ask.who, ask.from, ask.to, ask.mask)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", xmlType)
	var out buffer
	x := caldav.NewWriter(&out)
	x.StartDocument(caldav.C("schedule-response"))
	for i, a := range answers {
		x.Start(caldav.C("response"))
		x.HrefIn(caldav.C("recipient"), string(ask.attendees[i].Address())) // as it was asked for
		x.Element(caldav.C("request-status"), a.Status)
		if strings.HasPrefix(a.Status, "2.") {
			x.Element(calendarData, string(q.freeBusyReply(ask, ask.attendees[i], a.Periods).Bytes()))
		}
		x.End(caldav.C("response"))
	}
	x.End(caldav.C("schedule-response"))
	if err := x.Flush(); err != nil {
		return err
	}
	h.Set("Content-Length", strconv.Itoa(len(out)))
	q.w.WriteHeader(http.StatusOK)
	_, err = q.w.Write(out)
	return ignoreGone(err)
}

// asOwner is who asks through an outbox: its owner, for whom the user may act.
func (q *request) asOwner(r *resource) account.Actor {
	if r.owner.ID == q.by.Account {
		return q.by
	}
	return q.s.accounts.ActorOf(r.owner)
}

// buffer is an io.Writer that keeps what it is given.
type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

var _ io.Writer = (*buffer)(nil)

// freeBusyRequest is a VFREEBUSY REQUEST as RFC 6638 5.1 allows it.
type freeBusyRequest struct {
	component *ical.Component
	organizer *ical.Property
	attendees []*ical.Property
	who       []ical.Address
	from, to  time.Time
	mask      string // UID that does not count: the event that is being planned
}

func (q *request) readFreeBusyRequest(r *resource, data []byte) (*freeBusyRequest, error) {
	invalid := func(format string, args ...any) (*freeBusyRequest, error) {
		return nil, problem.New(problem.InvalidSchedulingMessage, "This is no free/busy request: %s.", fmt.Sprintf(format, args...))
	}
	cal, err := ical.Parse(data)
	if err != nil {
		return nil, problem.New(problem.InvalidCalendarData, "The free/busy request cannot be read: %s", err.Error()).Because(err)
	}
	if m := cal.Method(); m != "REQUEST" {
		return invalid("its METHOD is %q, not REQUEST", m)
	}
	var ask freeBusyRequest
	for _, c := range cal.Main() {
		if c.Name != "VFREEBUSY" || ask.component != nil {
			// RFC 6638 5: other scheduling messages are not posted; saving an event sends them
			return invalid("it must hold one VFREEBUSY and nothing else; to invite someone, save the event in a calendar")
		}
		ask.component = c
	}
	if ask.component == nil {
		return invalid("it holds no VFREEBUSY")
	}
	c := ask.component
	if c.Value("UID") == "" {
		return invalid("it has no UID")
	}
	if ask.organizer = c.Prop("ORGANIZER"); ask.organizer == nil {
		return nil, problem.New(problem.InvalidOrganizer, "The free/busy request has no ORGANIZER.")
	}
	if ok, err := q.isAddressOf(r, ask.organizer.Address()); err != nil {
		return nil, err
	} else if !ok && !isLogin(r, ask.organizer.Address()) { // RFC 6638 5.2.2
		return nil, problem.New(problem.InvalidOrganizer, "The ORGANIZER %s is not you.", ask.organizer.Address())
	}
	zones := tz.NewResolver(cal, nil)
	for _, f := range []struct {
		name string
		to   *time.Time
	}{{"DTSTART", &ask.from}, {"DTEND", &ask.to}} {
		p := c.Prop(f.name)
		if p == nil {
			return invalid("it has no %s", f.name)
		}
		t, err := p.Time()
		if err != nil {
			return invalid("its %s cannot be read", f.name)
		}
		*f.to = zones.Instant(t)
	}
	if !ask.to.After(ask.from) {
		return invalid("its DTEND is not after its DTSTART")
	}
	for p := range c.Props("ATTENDEE") {
		ask.attendees = append(ask.attendees, p)
		who, _ := q.mailtoOf(p.Address())
		ask.who = append(ask.who, who)
	}
	if len(ask.who) == 0 {
		return invalid("it has no ATTENDEE")
	}
	ask.mask = c.Value("X-CALENDARSERVER-MASK-UID")
	return &ask, nil
}

// isLogin reports whether an address is the bare name that the owner of a
// resource signs in with (ADR-11).
func isLogin(r *resource, a ical.Address) bool {
	return strings.EqualFold(strings.TrimPrefix(strings.ToLower(string(a)), "mailto:"), r.owner.Name)
}

// isAddressOf reports whether an address is one of the owner of a resource:
// any of the account's, or its principal's URL (RFC 6638 2.4.1).
func (q *request) isAddressOf(r *resource, a ical.Address) (bool, error) {
	if p, err := parseHref(string(a), q.sameHost); err == nil && p.kind == principal {
		return p.account == r.owner.Name, nil
	}
	list, err := q.addresses(r)
	if err != nil {
		return false, err
	}
	for _, b := range list {
		if a.Equal(b) {
			return true, nil
		}
	}
	return false, nil
}

// freeBusyReply is the answer for one attendee (RFC 5546 3.3.3).
func (q *request) freeBusyReply(ask *freeBusyRequest, attendee *ical.Property, periods []freebusy.Period) *ical.Calendar {
	cal := ical.New(q.s.calendar.ProdID())
	cal.Add(ical.NewProperty("METHOD", "REPLY"))
	fb := freebusy.Component(periods, ask.from, ask.to)
	fb.Set("UID", ask.component.Value("UID"))
	q.stamp(fb)
	fb.Add(ask.organizer.Clone(), attendee.Clone())
	cal.Components = append(cal.Components, fb)
	cal.Normalize() // the client's lines may end otherwise than ours
	return cal
}
