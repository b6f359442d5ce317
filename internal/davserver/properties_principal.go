package davserver

import (
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
)

// principalProperties tell where a calendar user's things are: RFC 3744 4,
// RFC 4791 6.2, RFC 6638 2.4, and what Apple's clients ask beside them.
var principalProperties = []property{
	{name: caldav.D("principal-URL"), where: principal | proxy, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		x.Href(r.href())
		return true, nil
	}},
	{name: caldav.D("alternate-URI-set"), where: principal, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		list, err := q.addresses(r)
		for _, a := range list {
			x.Href(string(a))
		}
		return true, err
	}},
	{name: caldav.C("calendar-home-set"), where: principal, value: calendarHomeSet},
	// RFC 6638 2.4.1. First what mail can use in ORGANIZER, which is what clients
	// take; then the principal's URL, which becomes that where it is stored.
	{name: caldav.C("calendar-user-address-set"), where: principal, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		list, err := q.addresses(r)
		for i, a := range list {
			if i == 0 {
				// Apple's clients write the preferred one into ORGANIZER.
				x.Start(caldav.D("href"), "preferred", "1")
				x.Text(string(a))
				x.End(caldav.D("href"))
				continue
			}
			x.Href(string(a))
		}
		x.Href(principalHref(r.owner.Name))
		return true, err
	}},
	{name: caldav.C("calendar-user-type"), where: principal, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, userType(r.owner.Kind), false)
	}},
	{name: caldav.C("schedule-inbox-URL"), where: principal, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if !q.acts(r.owner.ID) { // RFC 6638 2.1.1: only for who may see it
			return false, nil
		}
		x.Href(collectionHref(r.owner.Name, inboxName))
		return true, nil
	}},
	{name: caldav.C("schedule-outbox-URL"), where: principal, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if !q.acts(r.owner.ID) {
			v, err := q.s.calendar.Collection(q.ctx, q.by, r.owner.ID, outboxName) // granted by itself
			if problem.Has(err, problem.NotFound) || err == nil && v.Access < acl.Read {
				return false, nil
			}
			if err != nil {
				return false, err
			}
		}
		x.Href(collectionHref(r.owner.Name, outboxName))
		return true, nil
	}},
	{name: caldav.CS("email-address-set"), where: principal, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		list, err := q.addresses(r)
		for _, a := range list {
			if e := a.Email(); e != "" {
				x.Element(caldav.CS("email-address"), e)
			}
		}
		return true, err
	}},
	{name: caldav.CS("first-name"), where: principal, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		first, _ := names(r.owner.DisplayName)
		return text(x, first, first == "")
	}},
	{name: caldav.CS("last-name"), where: principal, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		_, last := names(r.owner.DisplayName)
		return text(x, last, last == "")
	}},
	{name: caldav.CS("record-type"), where: principal, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, recordTypes[userType(r.owner.Kind)], false)
	}},
}

// userType is the CUTYPE of an account (RFC 5545 3.2.3).
func userType(kind string) string {
	if kind == "" {
		return "INDIVIDUAL"
	}
	return strings.ToUpper(kind)
}

// recordTypes of CalendarServer's directory by CUTYPE.
var recordTypes = map[string]string{"INDIVIDUAL": "users", "GROUP": "groups", "ROOM": "locations", "RESOURCE": "resources"}

// names splits a display name at its last word, as good as can be.
func names(display string) (first, last string) {
	f := strings.Fields(display)
	if len(f) < 2 {
		return display, ""
	}
	return strings.Join(f[:len(f)-1], " "), f[len(f)-1]
}

func (q *request) addresses(r *resource) ([]ical.Address, error) {
	return q.s.accounts.Addresses(q.ctx, r.owner.ID)
}

// calendarHomeSet is the home (RFC 4791 6.2.1). Calendars that others share
// are mounted in it.
func calendarHomeSet(_ *request, r *resource, x *caldav.Writer) (bool, error) {
	x.Href(homeHref(r.owner.Name))
	return true, nil
}
