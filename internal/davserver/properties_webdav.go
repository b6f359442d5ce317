package davserver

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// webdavProperties are those of RFC 4918 15 and of small standards beside it.
var webdavProperties = []property{
	{name: caldav.D("resourcetype"), where: anything, all: true, value: resourceType},
	{name: caldav.D("displayname"), where: anything &^ (objects | plain | notice), all: true, value: displayName, set: setDisplayName},
	{name: caldav.D("creationdate"), where: collections | objects | principal | home | plain, all: true, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, r.created().UTC().Format(time.RFC3339), r.created().IsZero())
	}},
	{name: caldav.D("getlastmodified"), where: collections | objects | plain, all: true, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, r.modified().UTC().Format(http.TimeFormat), r.modified().IsZero())
	}},
	{name: caldav.D("getetag"), where: objects | plain | notice, all: true, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		switch r.kind {
		case plain:
			return text(x, r.file.ETag, r.file.Directory)
		case notice:
			return text(x, r.noteETag(), false)
		}
		return text(x, r.obj.ETag, false)
	}},
	{name: caldav.D("getcontenttype"), where: objects | plain | notice, all: true, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		switch r.kind {
		case plain:
			return text(x, r.file.ContentType, r.file.Directory)
		case notice:
			return text(x, xmlType, false)
		}
		return text(x, r.contentType(), false)
	}},
	{name: caldav.D("getcontentlength"), where: objects | plain, all: true, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		if r.kind == plain {
			return text(x, strconv.Itoa(r.file.Size), r.file.Directory)
		}
		return text(x, strconv.Itoa(r.obj.Size), r.obj.Size == calendar.UnknownSize)
	}},
	{name: caldav.D("getcontentlanguage"), where: plain, all: true, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, r.file.Language, r.file.Language == "")
	}},
	{name: caldav.D("lockdiscovery"), where: anything, all: true, value: lockDiscovery}, // RFC 4918 15.8
	{name: caldav.D("supportedlock"), where: anything, all: true, value: supportedLock}, // RFC 4918 15.10

	{name: caldav.D("supported-report-set"), where: anything &^ (plain | notice), value: supportedReports}, // RFC 3253 3.1.5
	{name: caldav.D("resource-id"), where: collections | objects, value: resourceID},                       // RFC 5842 3.1
	{name: caldav.D("add-member"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) { // RFC 5995 3.2.1
		x.Href(r.href())
		return true, nil
	}},
	{name: caldav.D("sync-token"), where: calendarColl | inbox | home, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) { // RFC 6578 4
		seq := r.coll.Seq
		if r.kind == home {
			if r.owner.ID != q.by.Account {
				return false, nil
			}
			var err error
			if seq, err = q.s.calendar.HomeSeq(q.ctx, q.by, r.owner.ID); err != nil {
				return false, err
			}
		}
		return text(x, r.syncToken(seq), false)
	}},
	{name: caldav.CS("getctag"), where: calendarColl | inbox, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, r.ctag(), false)
	}},
}

// text writes a value; without one the property is not there.
func text(x *caldav.Writer, s string, missing bool) (bool, error) {
	if missing {
		return false, nil
	}
	x.Text(s)
	return true, nil
}

func empty(*request, *resource, *caldav.Writer) (bool, error) { return true, nil }

// types of resources by kind.
var types = map[kind][]caldav.Name{
	root:         {caldav.D("collection")},
	principalSet: {caldav.D("collection")},
	homeSet:      {caldav.D("collection")},
	home:         {caldav.D("collection")},
	principal:    {caldav.D("principal"), caldav.D("collection")},
	calendarColl: {caldav.D("collection"), caldav.C("calendar")},
	inbox:        {caldav.D("collection"), caldav.C("schedule-inbox")},
	outbox:       {caldav.D("collection"), caldav.C("schedule-outbox")},
	proxy:        {caldav.D("principal"), caldav.D("collection")},
	notices:      {caldav.D("collection"), caldav.CS("notification")},
}

func resourceType(q *request, r *resource, x *caldav.Writer) (bool, error) {
	if r.kind == plain && r.file.Directory {
		x.Empty(caldav.D("collection"))
	}
	if r.kind == proxy {
		x.Empty(caldav.CS(r.place.name))
	}
	if r.mounted() {
		x.Empty(caldav.CS("shared"))
	} else if r.kind == calendarColl && r.coll.Access == acl.Own {
		if list, err := q.s.calendar.Shares(q.ctx, q.by, r.owner.ID, r.coll.Name); err != nil {
			return false, err
		} else if len(list) > 0 {
			x.Empty(caldav.CS("shared-owner"))
		}
	}
	for _, t := range types[r.kind] {
		x.Empty(t)
	}
	return true, nil
}

func displayName(_ *request, r *resource, x *caldav.Writer) (bool, error) {
	name := ""
	switch r.kind {
	case root:
		name = "Convene"
	case principalSet:
		name = "Principals"
	case homeSet:
		name = "Calendars"
	case proxy:
		name = r.place.name
	case notices:
		name = "Notifications"
	case principal, home:
		if name = r.owner.DisplayName; name == "" {
			name = r.owner.Name
		}
	case calendarColl, inbox, outbox:
		name = r.coll.DisplayName
		if name == "" {
			name = r.coll.Name
		}
	}
	return text(x, name, false)
}

func setDisplayName(_ *request, c *store.Collection, e *caldav.Element) (err error) {
	c.DisplayName, err = line(e, 1000)
	return err
}

// line is a property's text where it is for people: limited, without line ends.
func line(e *caldav.Element, max int) (string, error) {
	if e == nil {
		return "", nil
	}
	s := strings.TrimSpace(e.Text())
	if len(s) > max {
		return "", problem.New(problem.InvalidProperty, "The value of %s is longer than %d octets.", e.Name.Local, max)
	}
	return strings.Join(strings.Fields(s), " "), nil
}

func (r *resource) created() time.Time {
	switch {
	case r.kind&objects != 0:
		return r.obj.Created
	case r.kind&collections != 0:
		return r.coll.Created
	case r.kind == plain:
		return r.file.Created
	}
	return r.owner.Created
}

func (r *resource) modified() time.Time {
	switch {
	case r.kind&objects != 0:
		return r.obj.Modified
	case r.kind == plain:
		return r.file.Modified
	}
	return r.coll.Modified
}

// contentType names the component as clients expect it beside the type (RFC 5545 8.1).
func (r *resource) contentType() string {
	if r.obj.Component == "" {
		return calendarType
	}
	return calendarType + "; component=" + strings.ToLower(r.obj.Component)
}

// ctag changes whenever the sync token does.
func (r *resource) ctag() string {
	return strconv.FormatInt(r.coll.ID, 10) + "-" + strconv.FormatInt(r.coll.Seq, 10)
}

// resourceID is made of what identifies the resource for as long as it exists,
// wherever it is moved within its home.
func resourceID(q *request, r *resource, x *caldav.Writer) (bool, error) {
	id := r.coll.ID
	if r.kind&objects != 0 {
		id = r.obj.ID
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d", q.s.host, r.kind&objects, r.owner.ID, id))
	h[6] = h[6]&0x0f | 0x80 // RFC 9562 5.8: version 8
	h[8] = h[8]&0x3f | 0x80
	x.Href(fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16]))
	return true, nil
}
