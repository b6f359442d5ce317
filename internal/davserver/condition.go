package davserver

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// outcome is how a refusal looks on the wire.
type outcome struct {
	status  int
	element caldav.Name // precondition within DAV:error; zero when there is none
}

// outcomes is the one table from conditions to HTTP. RFC 4791 1.3 and RFC 4918
// 16: a precondition answers 403 when repeating the request is of no use, and
// 409 when the user can put it right.
var outcomes = map[problem.Condition]outcome{
	problem.Internal:            {http.StatusInternalServerError, none},
	problem.BadInput:            {http.StatusBadRequest, none},
	problem.Unauthenticated:     {http.StatusUnauthorized, none},
	problem.RateLimited:         {http.StatusTooManyRequests, none},
	problem.Forbidden:           {http.StatusForbidden, none},
	problem.NeedPrivileges:      {http.StatusForbidden, caldav.D("need-privileges")},
	problem.NotFound:            {http.StatusNotFound, none},
	problem.Exists:              {http.StatusMethodNotAllowed, caldav.D("resource-must-be-null")}, // RFC 4918 9.3.1
	problem.ResourceMustBeNull:  {http.StatusMethodNotAllowed, caldav.D("resource-must-be-null")},
	problem.ParentMissing:       {http.StatusConflict, none},
	problem.PreconditionFailed:  {http.StatusPreconditionFailed, none},
	problem.Unavailable:         {http.StatusServiceUnavailable, none},
	problem.InsufficientStorage: {http.StatusInsufficientStorage, caldav.D("quota-not-exceeded")},
	problem.InvalidSyncToken:    {http.StatusForbidden, caldav.D("valid-sync-token")},
	problem.TooManyMatches:      {http.StatusInsufficientStorage, caldav.D("number-of-matches-within-limits")},
	problem.MethodNotAllowed:    {http.StatusMethodNotAllowed, none},
	problem.UnsupportedMedia:    {http.StatusUnsupportedMediaType, none},
	problem.InvalidResourceType: {http.StatusForbidden, caldav.D("valid-resourcetype")},
	problem.ProtectedProperty:   {http.StatusForbidden, caldav.D("cannot-modify-protected-property")},
	problem.InvalidProperty:     {http.StatusConflict, none},   // RFC 4918 9.2.1: "the client has provided a value whose semantics are not appropriate"
	problem.InvalidDestination:  {http.StatusBadGateway, none}, // RFC 4918 9.8.5

	problem.InvalidCalendarData:      {http.StatusForbidden, caldav.C("valid-calendar-data")},
	problem.InvalidCalendarObject:    {http.StatusForbidden, caldav.C("valid-calendar-object-resource")},
	problem.UnsupportedCalendarData:  {http.StatusForbidden, caldav.C("supported-calendar-data")},
	problem.UnsupportedComponent:     {http.StatusForbidden, caldav.C("supported-calendar-component")},
	problem.UIDConflict:              {http.StatusForbidden, caldav.C("no-uid-conflict")},
	problem.BadCalendarLocation:      {http.StatusForbidden, caldav.C("calendar-collection-location-ok")},
	problem.TooLarge:                 {http.StatusForbidden, caldav.C("max-resource-size")},
	problem.BeforeMinDate:            {http.StatusForbidden, caldav.C("min-date-time")},
	problem.AfterMaxDate:             {http.StatusForbidden, caldav.C("max-date-time")},
	problem.TooManyInstances:         {http.StatusForbidden, caldav.C("max-instances")},
	problem.TooManyAttendees:         {http.StatusForbidden, caldav.C("max-attendees-per-instance")},
	problem.InvalidFilter:            {http.StatusForbidden, caldav.C("valid-filter")},
	problem.UnsupportedFilter:        {http.StatusForbidden, caldav.C("supported-filter")},
	problem.UnsupportedCollation:     {http.StatusForbidden, caldav.C("supported-collation")},
	problem.UniqueSchedulingObject:   {http.StatusForbidden, caldav.C("unique-scheduling-object-resource")},
	problem.SameOrganizer:            {http.StatusForbidden, caldav.C("same-organizer-in-all-components")},
	problem.AllowedOrganizerChange:   {http.StatusForbidden, caldav.C("allowed-organizer-scheduling-object-change")},
	problem.AllowedAttendeeChange:    {http.StatusForbidden, caldav.C("allowed-attendee-scheduling-object-change")},
	problem.DefaultCalendarNeeded:    {http.StatusForbidden, caldav.C("default-calendar-needed")},
	problem.InvalidDefaultCalendar:   {http.StatusForbidden, caldav.C("valid-schedule-default-calendar-URL")},
	problem.InvalidSchedulingMessage: {http.StatusForbidden, caldav.C("valid-scheduling-message")},
	"valid-attendee-comment-change":  {http.StatusForbidden, caldav.CS("valid-attendee-comment-change")}, // caldav-privatecomments 4.2.3
	problem.InvalidOrganizer:         {http.StatusForbidden, caldav.C("valid-organizer")},

	calendar.InvalidSubscription: {http.StatusForbidden, caldav.Push("invalid-subscription")}, // draft-bitfire-webdav-push
	calendar.NoSupportedTrigger:  {http.StatusForbidden, caldav.Push("no-supported-trigger")},
	calendar.PushNotAvailable:    {http.StatusForbidden, caldav.Push("push-not-available")},

	// Of this protocol alone.
	calendar.Locked:              {http.StatusLocked, caldav.D("lock-token-submitted")}, // RFC 4918 16
	calendar.InvalidAttachAction: {http.StatusForbidden, caldav.C("valid-action")},      // RFC 8607 3.11
	calendar.InvalidRID:          {http.StatusForbidden, caldav.C("valid-rid")},
	calendar.InvalidManagedID:    {http.StatusForbidden, caldav.C("valid-managed-id")},
	calendar.UnknownManagedID:    {http.StatusForbidden, caldav.C("valid-managed-id-parameter")},
	calendar.AttachmentTooLarge:  {http.StatusForbidden, caldav.C("max-attachment-size")},
	calendar.TooManyAttachments:  {http.StatusForbidden, caldav.C("max-attachments-per-resource")},
	calendar.LockConflict:        {http.StatusLocked, caldav.D("no-conflicting-lock")},                        // RFC 4918 16
	calendar.LockElsewhere:       {http.StatusConflict, caldav.D("lock-token-matches-request-uri")},           // RFC 4918 9.11.1
	noSuchLock:                   {http.StatusPreconditionFailed, caldav.D("lock-token-matches-request-uri")}, // RFC 4918 9.10.2
	finiteDepth:                  {http.StatusForbidden, caldav.D("propfind-finite-depth")},                   // RFC 4918 9.1
	syncTraversal:                {http.StatusForbidden, caldav.D("sync-traversal-supported")},                // RFC 6578 3.3
	supportedReport:              {http.StatusForbidden, caldav.D("supported-report")},                        // RFC 3253 3.6
	bodyTooLarge:                 {http.StatusRequestEntityTooLarge, none},                                    // RFC 9110 15.5.14
	validTimeZone:                {http.StatusForbidden, caldav.C("valid-timezone")},                          // RFC 7809 5.2
	unknownMethod:                {http.StatusNotImplemented, none},                                           // RFC 9110 9.1
	"limited-number-of-aces":     {http.StatusForbidden, caldav.D("limited-number-of-aces")},                  // RFC 3744 8.1.1
	"grant-only":                 {http.StatusForbidden, caldav.D("grant-only")},
	"no-invert":                  {http.StatusForbidden, caldav.D("no-invert")},
	"no-protected-ace-conflict":  {http.StatusForbidden, caldav.D("no-protected-ace-conflict")},
	"no-inherited-ace-conflict":  {http.StatusForbidden, caldav.D("no-inherited-ace-conflict")},
	"not-supported-privilege":    {http.StatusForbidden, caldav.D("not-supported-privilege")},
	"no-ace-conflict":            {http.StatusForbidden, caldav.D("no-ace-conflict")},
	"recognized-principal":       {http.StatusForbidden, caldav.D("recognized-principal")},
	"allowed-principal":          {http.StatusForbidden, caldav.D("allowed-principal")},
}

// namesPlace: conditions whose element holds the href of what is in the way.
var namesPlace = map[problem.Condition]bool{problem.UIDConflict: true, problem.UniqueSchedulingObject: true, calendar.Locked: true, calendar.LockConflict: true}

var none caldav.Name

// Conditions that only WebDAV knows.
const (
	finiteDepth     problem.Condition = "propfind-finite-depth"
	syncTraversal   problem.Condition = "sync-traversal-supported"
	supportedReport problem.Condition = "supported-report"
	bodyTooLarge    problem.Condition = caldav.BeyondSize
	unknownMethod   problem.Condition = "unknown-method"
	validTimeZone   problem.Condition = "valid-timezone"
	noSuchLock      problem.Condition = "no-such-lock"
)

// problemOf finds the refusal in an error, with those of package caldav as
// refusals like any other.
func problemOf(err error) *problem.Problem {
	var p *problem.Problem
	if errors.As(err, &p) { // with whatever it has for a cause
		return p
	}
	var wire *caldav.Error
	if errors.As(err, &wire) {
		return problem.New(problem.Condition(wire.Condition), "%s", wire.Error())
	}
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return problem.New(bodyTooLarge, "The request body has more than %d octets.", tooLong.Limit).Because(err)
	}
	if errors.Is(err, caldav.ErrTooManyInstances) {
		return problem.New(problem.TooManyMatches, "The expansion has too many instances; ask for a shorter time range.").Because(err)
	}
	return problem.Of(err)
}

func outcomeOf(p *problem.Problem) outcome {
	o, ok := outcomes[p.Condition]
	if !ok {
		return outcome{http.StatusInternalServerError, none}
	}
	return o
}

// logPath is the path of the request without the secret that some hold.
func (q *request) logPath() string {
	for _, secret := range []string{feedPath, attachmentPath} {
		if strings.HasPrefix(q.r.URL.Path, secret) {
			return secret + "…"
		}
	}
	return q.r.URL.Path
}

// refuse words a refusal as the whole answer.
func (q *request) refuse(err error) {
	p := problemOf(err)
	o := outcomeOf(p)
	if q.r.Method == "MKCALENDAR" && o.element == caldav.D("resource-must-be-null") {
		o.status = http.StatusForbidden // RFC 4791 1.3; for MKCOL it is 405 (RFC 4918 9.3.1)
	}
	if o.status == http.StatusInternalServerError {
		q.s.log.Error("a CalDAV request failed", "method", q.r.Method, "path", q.logPath(), "error", err)
	}
	h := q.w.Header()
	for _, name := range []string{"ETag", "Last-Modified", "Content-Disposition", "Content-Encoding", "Content-Length"} {
		h.Del(name)
	}
	switch o.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Basic realm="Convene", charset="UTF-8"`) // RFC 7617 2.1
	case http.StatusTooManyRequests:
		wait := 30 * time.Second
		var given account.RetryAfter
		if errors.As(err, &given) {
			wait = time.Duration(given)
		}
		h.Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1)) // RFC 6585 4
	case http.StatusMethodNotAllowed:
		if h.Get("Allow") == "" {
			h.Set("Allow", allow(q.at.kind)) // RFC 9110 15.5.6
		}
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	}
	var body bytes.Buffer
	if o.element == caldav.D("need-privileges") {
		q.needPrivileges(&body, p)
	} else {
		var hrefs []string
		if p.Where != "" && namesPlace[p.Condition] {
			hrefs = []string{q.hrefOf(p.Where)} // RFC 4791 5.3.2.1, RFC 6638 3.2.4.1
		}
		caldav.WriteError(&body, o.element, hrefs, p.Sentence)
	}
	h.Set("Content-Type", xmlType)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	q.w.WriteHeader(o.status)
	q.w.Write(body.Bytes())
}
