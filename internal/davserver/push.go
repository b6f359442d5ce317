package davserver

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// WebDAV-Push (draft-bitfire-webdav-push): clients register at a collection
// where they want to be told that it has changed.

// Push is what the front end asks of whoever sends the messages.
type Push interface {
	PublicKey() string // VAPID, as clients need it
	// Secrets reads what encrypts a reader's messages and gives it as it is kept.
	Secrets(key, auth string) (string, error)
	// Check says why a push resource cannot be sent to.
	Check(resource string) error
}

// pushable collections tell of their changes: outboxes have none, and what is
// shared of a home is told by the calendars.
const pushable = calendarColl | inbox | home

// pushPath begins the addresses of registrations.
const pushPath = "/dav/push/"

// pushProperties are those of the draft's Push Properties; without push there
// are none.
var pushProperties = []property{
	{name: caldav.Push("transports"), where: pushable, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if !q.pushes(r) {
			return false, nil
		}
		x.Start(caldav.Push("web-push"))
		x.Start(caldav.Push("vapid-public-key"), "type", "p256ecdsa")
		x.Text(q.s.push.PublicKey())
		x.End(caldav.Push("vapid-public-key"))
		x.End(caldav.Push("web-push"))
		return true, nil
	}},
	{name: caldav.Push("topic"), where: pushable, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if !q.pushes(r) {
			return false, nil
		}
		x.Text(calendar.PushTopic(r.owner.ID, r.coll.ID))
		return true, nil
	}},
	{name: caldav.Push("supported-triggers"), where: pushable, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if !q.pushes(r) {
			return false, nil
		}
		trigger := func(name, depth string) {
			x.Start(caldav.Push(name))
			x.Element(caldav.D("depth"), depth)
			x.End(caldav.Push(name))
		}
		trigger("content-update", "1")
		if r.kind == calendarColl {
			trigger("property-update", "0")
		}
		return true, nil
	}},
}

// pushes tells whether somebody can be told of changes of a resource: of one's
// own home, and of whatever else one reads.
func (q *request) pushes(r *resource) bool {
	return q.s.push != nil && r.kind&pushable != 0 && (r.kind != home || r.owner.ID == q.by.Account)
}

// postPushRegister registers a reader, or renews it.
func (q *request) postPushRegister(r *resource, b *caldav.PushRegister) error {
	if !q.pushes(r) {
		return problem.New(calendar.PushNotAvailable, "Nobody is told of changes here.")
	}
	if !b.Content && r.kind != calendarColl {
		return problem.New(calendar.NoSupportedTrigger, "Changes of properties are told of calendars alone.")
	}
	if err := q.s.push.Check(b.Resource); err != nil {
		return problem.New(calendar.InvalidSubscription, "The subscription cannot be used: %s.", err.Error()).Because(err)
	}
	secrets, err := q.s.push.Secrets(b.Key, b.Auth)
	if err != nil {
		return problem.New(calendar.InvalidSubscription, "The subscription cannot be used: %s.", err.Error()).Because(err)
	}
	coll := r.coll.Name
	if r.kind == home {
		coll = ""
	}
	reg, _, err := q.s.calendar.RegisterPush(q.ctx, calendar.PushRequest{
		By: q.by, Owner: r.owner.ID, Collection: coll, Resource: b.Resource, Secrets: secrets, Content: b.Content, Property: b.Property, Expires: b.Expires,
	})
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Location", q.base()+pushPath+reg.Token)
	h.Set("Expires", reg.Expires.UTC().Format(http.TimeFormat))
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// pushRegistration is DELETE of a registration by who made it.
func (q *request) pushRegistration(token string) error {
	if err := q.authenticate(); err != nil {
		return err
	}
	if err := q.s.origins.Check(q.r); err != nil {
		return problem.New(problem.Forbidden, "This request comes from a page of another site.").Because(err)
	}
	if q.r.Method != http.MethodDelete {
		q.w.Header().Set("Allow", "DELETE")
		return problem.New(problem.MethodNotAllowed, "%s is not possible here.", q.r.Method)
	}
	token, err := url.PathUnescape(token)
	if err != nil || token == "" || len(token) > 100 {
		return problem.New(problem.NotFound, "There is no such push registration; it may have ended.")
	}
	if err := q.s.calendar.UnregisterPush(q.ctx, q.by, token); err != nil {
		return err
	}
	return q.nothing(http.StatusNoContent)
}

// maxQuiet registrations that one request names.
const maxQuiet = 50

// quietly does what changes something, and tells those of it who did not ask
// otherwise with Push-Dont-Notify.
func (q *request) quietly(do func(*request) error) error {
	values := strings.Join(q.r.Header.Values("Push-Dont-Notify"), ",")
	owner, ok := q.quietHome()
	if q.s.push == nil || values == "" || !ok {
		return do(q)
	}
	var tokens []string
	all := strings.TrimSpace(values) == "*"
	for v := range strings.SplitSeq(values, ",") {
		// Exactly as it was given out; what is no such address is ignored.
		v = strings.TrimSpace(v)
		if token, ok := strings.CutPrefix(strings.Trim(v, `"`), q.base()+pushPath); ok && len(v) > 2 && v[0] == '"' && len(tokens) < maxQuiet {
			tokens = append(tokens, token)
		}
	}
	if !all && len(tokens) == 0 {
		return do(q)
	}
	quiet, err := q.s.calendar.QuietPush(q.ctx, q.by, owner, tokens, all)
	if err != nil {
		return err
	}
	if err := do(q); err != nil {
		return err
	}
	if err := q.s.calendar.EndQuiet(q.ctx, quiet); err != nil {
		q.s.log.Warn("somebody is told of a change of their own", "error", err)
	}
	return nil
}

// quietHome is whose home a request changes.
func (q *request) quietHome() (store.AccountID, bool) {
	if _, writes := writes[q.r.Method]; !writes && q.r.Method != "COPY" || q.at.account == "" || q.at.kind&(calendarColl|object|inbox|message|home) == 0 {
		return 0, false
	}
	if q.at.coll == "" {
		id, err := q.accountID(q.at.account)
		return id, err == nil
	}
	id, _, err := q.target(q.at)
	return id, err == nil
}
