package davserver

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// lockable places have write locks (RFC 4918 6): calendars, events, plain
// collections and what lies in them.
const lockable = calendarColl | object | plain

// defaultLockTime is for clients that ask for no time (RFC 4918 10.7).
const defaultLockTime = 30 * time.Minute

// lockedAt is where the locks of a place are: a home and a path in it, the
// owner's for a mounted calendar.
func (q *request) lockedAt(p place) (owner store.AccountID, path string, err error) {
	path = p.lockPath()
	if p.coll == "" {
		owner, err = q.accountID(p.account)
		return owner, path, err
	}
	owner, coll, err := q.target(p)
	if err == nil && coll != p.coll {
		path = coll + path[len(p.coll):]
	}
	return owner, path, err
}

// lockPath is a place as locks know it, relative to its home.
func (p place) lockPath() string {
	switch {
	case p.path != "":
		return p.path
	case p.coll == "":
		return ""
	case p.name == "":
		return p.coll
	}
	return p.coll + "/" + p.name
}

// locks of the home of a place, read once a request.
func (q *request) locks(p place) ([]store.Lock, error) {
	if p.account == "" {
		return nil, nil
	}
	owner, _, err := q.lockedAt(p)
	if err != nil {
		return nil, nil // nothing is there, and the request finds out
	}
	if list, ok := q.locked[owner]; ok {
		return list, nil
	}
	list, err := q.s.calendar.Locks(q.ctx, owner)
	if err != nil {
		return nil, err
	}
	if q.locked == nil {
		q.locked = map[store.AccountID][]store.Lock{}
	}
	q.locked[owner] = list
	return list, nil
}

// submitted are the state tokens that the request names (RFC 4918 10.4.1).
func (q *request) submitted() []string {
	lists, err := parseIf(strings.Join(q.r.Header.Values("If"), " "))
	if err != nil {
		return nil
	}
	var out []string
	for _, l := range lists {
		for _, c := range l.conditions {
			if c.token != "" && !c.not {
				out = append(out, c.token)
			}
		}
	}
	return out
}

// writes says how methods touch what locks protect (RFC 4918 7).
var writes = map[string]struct{ deep, members bool }{
	"PUT": {false, true}, "PROPPATCH": {}, "POST": {}, "ACL": {}, "MKCOL": {false, true}, "MKCALENDAR": {false, true},
	"DELETE": {true, true}, "MOVE": {true, true},
}

// mayWrite refuses a request whose target, or destination, is locked by a lock
// whose token it does not bring (RFC 4918 6.4, 9.10.6).
func (q *request) mayWrite() error {
	if w, ok := writes[q.r.Method]; ok {
		if err := q.unlocked(q.at, w.deep, w.members); err != nil {
			return err
		}
	}
	if q.r.Method == "COPY" || q.r.Method == "MOVE" {
		if to, err := parseHref(q.r.Header.Get("Destination"), q.sameHost); err == nil {
			return q.unlocked(to, true, true)
		}
	}
	return nil
}

func (q *request) unlocked(at place, deep, members bool) error {
	list, err := q.locks(at)
	if err != nil || len(list) == 0 {
		return err
	}
	_, path, err := q.lockedAt(at)
	if err != nil {
		return err
	}
	parent := path[:max(strings.LastIndexByte(path, '/'), 0)]
	tokens := q.submitted()
	var blocking *store.Lock
	held := false
	for i := range list {
		l := &list[i]
		touches := calendar.Covers(*l, path) || deep && calendar.Under(l.Path, path)
		if !touches && members && l.Path == parent && path != "" {
			// A lock on a collection protects which members it has (RFC 4918 7.4).
			_, err := q.findAny(at)
			touches = q.r.Method != "PUT" || problem.Has(err, problem.NotFound)
		}
		switch {
		case !touches:
		case l.Creator == q.by.Account && slices.Contains(tokens, l.Token):
			held = true
		case blocking == nil || blocking.Shared:
			blocking = l
		}
	}
	if blocking == nil || blocking.Shared && held { // one of the shared locks is enough (RFC 4918 6.2)
		return nil
	}
	if !q.seesInto(at) {
		return nil // what lies there is not told; the request is refused for its rights
	}
	if _, err := q.checkIf(); err != nil {
		return err // RFC 4918 10.4.1: conditions that do not hold come first
	}
	return problem.New(calendar.Locked, "It is locked by %s until %s. Bring the token of the lock in an If header, or wait.", q.nameOf(blocking.Creator), blocking.Expires.Format(time.RFC3339)).
		At(q.homePathHref(at.account, blocking.Path))
}

// seesInto tells whether what stands at a place of somebody's home is for the
// actor to know.
func (q *request) seesInto(at place) bool {
	if owner, _, err := q.lockedAt(at); err == nil && owner == q.by.Account {
		return true
	}
	c, err := q.collection(at)
	return err == nil && c.Access >= acl.Read
}

// nameOf an account for a sentence.
func (q *request) nameOf(id store.AccountID) string {
	if id == q.by.Account {
		return "another program of yours"
	}
	a, err := q.s.accounts.Account(q.ctx, id)
	if err != nil {
		return "someone else"
	}
	return a.Name
}

// homePathHref is the href of a path in a home.
func (q *request) homePathHref(account, path string) string {
	for segment, v := range q.mounts {
		if account == q.by.Name && v.Name != "" && (path == v.Name || calendar.Under(path, v.Name)) {
			path = segment + path[len(v.Name):]
			break
		}
	}
	return strings.TrimSuffix(homeHref(account)+escapePath(path), "/")
}

// timeout reads the Timeout header (RFC 4918 10.7).
func (q *request) timeout() time.Duration {
	for part := range strings.SplitSeq(q.r.Header.Get("Timeout"), ",") {
		part = strings.TrimSpace(part)
		if strings.EqualFold(part, "Infinite") {
			return calendar.MaxLockTime
		}
		if len(part) > 7 && strings.EqualFold(part[:7], "Second-") {
			if n, err := strconv.ParseUint(part[7:], 10, 32); err == nil {
				return min(time.Duration(n)*time.Second, calendar.MaxLockTime)
			}
		}
	}
	return defaultLockTime
}

// lock is LOCK (RFC 4918 9.10).
func (q *request) lock() error {
	info, err := readXML(q, caldav.ParseLockInfo)
	if err != nil {
		return err
	}
	d, err := q.depth(depthInfinity)
	if err != nil {
		return err
	}
	if d == depth1 { // RFC 4918 9.10.3
		return problem.New(problem.BadInput, "A lock has Depth 0 or infinity.")
	}
	owner, path, err := q.lockedAt(q.at)
	if err != nil {
		return err
	}
	if info == nil {
		if _, err := q.checkIf(); problem.Has(err, problem.PreconditionFailed) { // RFC 4918 9.10.2
			return problem.New(noSuchLock, "There is no lock with this token here to refresh; it may have ended.").Because(err)
		} else if err != nil {
			return err
		}
		tokens := q.submitted()
		if len(tokens) == 0 {
			return problem.New(problem.BadInput, "A LOCK without a body refreshes the lock whose token is in the If header; there is none.")
		}
		l, err := q.s.calendar.RefreshLock(q.ctx, q.by, owner, path, tokens, q.timeout())
		if err != nil {
			return err
		}
		return q.lockAnswer(http.StatusOK, l, false)
	}
	r, missing := q.findAny(q.at)
	if missing != nil && !problem.Has(missing, problem.NotFound) {
		return missing
	}
	if err := q.mayLock(r); err != nil {
		return err
	}
	if _, err := q.checkIf(); err != nil {
		return err
	}
	l, err := q.s.calendar.Lock(q.ctx, calendar.LockRequest{
		By: q.by, Owner: owner, Path: path, Infinite: d == depthInfinity, Shared: info.Shared, Note: info.Owner, Timeout: q.timeout(),
	})
	if p := problemOf(err); err != nil && p.Condition == calendar.LockConflict {
		href := q.homePathHref(q.at.account, p.Where)
		if p.Where != path && calendar.Under(p.Where, path) { // RFC 4918 9.10.9: a member is in the way
			m := q.multistatus()
			m.Status(href, http.StatusLocked, caldav.D("no-conflicting-lock"), p.Sentence)
			m.Status(q.at.href(), http.StatusFailedDependency, none, "")
			return m.finish("", nil)
		}
		return p.At(href)
	}
	if err != nil {
		return err
	}
	status := http.StatusOK
	if missing != nil {
		status = http.StatusCreated
		if q.at.kind == plain { // RFC 4918 7.3: the URL has something from now on
			_, _, err := q.s.calendar.PutFile(q.ctx, calendar.PutFileRequest{By: q.by, Owner: owner, File: store.File{Path: path, ContentType: "application/octet-stream"}})
			if err != nil {
				_ = q.s.calendar.Unlock(q.ctx, q.by, owner, path, l.Token)
				return err
			}
		}
	}
	return q.lockAnswer(status, l, true)
}

// mayLock asks for the right to write where the lock goes; r is nil where
// nothing is yet.
func (q *request) mayLock(r *resource) error {
	switch q.at.kind {
	case plain:
		if r != nil {
			return nil
		}
		in, _, _ := strings.Cut(q.at.path, "/")
		if i := strings.LastIndexByte(q.at.path, '/'); i >= 0 {
			in = q.at.path[:i]
		}
		owner, err := q.accountID(q.at.account)
		if err != nil {
			return err
		}
		f, err := q.s.calendar.File(q.ctx, q.by, owner, in)
		if problem.Has(err, problem.NotFound) || err == nil && !f.Directory {
			return problem.New(problem.ParentMissing, "There is no collection to lock something in.")
		}
		return err
	case calendarColl:
		if r == nil {
			return problem.New(problem.NotFound, "There is nothing at %s.", q.at.href())
		}
	}
	c, err := q.collection(q.at)
	if err != nil {
		return destinationMissing(err, q.at)
	}
	if c.Access < acl.Read {
		return nothingAt(q.at)
	}
	if c.Access < acl.Write {
		return problem.New(problem.NeedPrivileges, "Only who may change it can lock it.")
	}
	return nil
}

func (q *request) lockAnswer(status int, l store.Lock, made bool) error {
	var body bytes.Buffer
	x := caldav.NewWriter(&body)
	x.StartDocument(caldav.D("prop"))
	x.Start(caldav.D("lockdiscovery"))
	q.activeLock(x, l)
	x.End(caldav.D("lockdiscovery"))
	x.End(caldav.D("prop"))
	if err := x.Flush(); err != nil {
		return err
	}
	h := q.w.Header()
	if made { // RFC 4918 10.5: not when refreshing
		h.Set("Lock-Token", "<"+l.Token+">")
	}
	h.Set("Content-Type", xmlType)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	q.w.WriteHeader(status)
	_, err := q.w.Write(body.Bytes())
	return ignoreGone(err)
}

// activeLock is RFC 4918 14.1.
func (q *request) activeLock(x *caldav.Writer, l store.Lock) {
	x.Start(caldav.D("activelock"))
	x.Start(caldav.D("locktype"))
	x.Empty(caldav.D("write"))
	x.End(caldav.D("locktype"))
	x.Start(caldav.D("lockscope"))
	if l.Shared {
		x.Empty(caldav.D("shared"))
	} else {
		x.Empty(caldav.D("exclusive"))
	}
	x.End(caldav.D("lockscope"))
	depth := "0"
	if l.Infinite {
		depth = "infinity"
	}
	x.Element(caldav.D("depth"), depth)
	if l.Owner != "" {
		x.Start(caldav.D("owner"))
		x.Fragment(l.Owner)
		x.End(caldav.D("owner"))
	}
	x.Element(caldav.D("timeout"), "Second-"+strconv.FormatInt(int64(max(l.Expires.Sub(q.s.now()), 0)/time.Second), 10))
	// RFC 4918 6.8: the token may be hidden from those it does not belong to; who has it can do nothing without being its creator.
	if l.Creator == q.by.Account || l.Account == q.by.Account {
		x.HrefIn(caldav.D("locktoken"), l.Token)
	}
	x.HrefIn(caldav.D("lockroot"), q.homePathHref(q.at.account, l.Path))
	x.End(caldav.D("activelock"))
}

// unlock is UNLOCK (RFC 4918 9.11).
func (q *request) unlock() error {
	token := strings.TrimSpace(q.r.Header.Get("Lock-Token"))
	if len(token) < 3 || token[0] != '<' || token[len(token)-1] != '>' {
		return problem.New(problem.BadInput, "UNLOCK needs a Lock-Token header with the token in angle brackets.")
	}
	owner, path, err := q.lockedAt(q.at)
	if err != nil {
		return err
	}
	if q.at.kind != plain {
		if c, err := q.collection(q.at); err != nil {
			return err
		} else if c.Access < acl.Read {
			return nothingAt(q.at)
		}
	}
	if err := q.s.calendar.Unlock(q.ctx, q.by, owner, path, token[1:len(token)-1]); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// unlockGone forgets the locks on what the request took away; that it was done
// stands whatever becomes of this.
func (q *request) unlockGone(at place) {
	if list, err := q.locks(at); err != nil || len(list) == 0 {
		return
	}
	owner, path, err := q.lockedAt(at)
	if err == nil {
		err = q.s.calendar.Unlocked(q.ctx, owner, path)
	}
	if err != nil {
		q.s.log.Warn("locks of something deleted stay until they end", "path", at.href(), "error", err)
	}
}

// lockDiscovery is DAV:lockdiscovery (RFC 4918 15.8).
func lockDiscovery(q *request, r *resource, x *caldav.Writer) (bool, error) {
	if r.kind&lockable == 0 {
		return true, nil
	}
	list, err := q.locks(r.place)
	if err != nil {
		return false, err
	}
	_, path, err := q.lockedAt(r.place)
	if err != nil {
		return false, err
	}
	for _, l := range list {
		if calendar.Covers(l, path) {
			q.activeLock(x, l)
		}
	}
	return true, nil
}

// supportedLock is DAV:supportedlock (RFC 4918 15.10).
func supportedLock(_ *request, r *resource, x *caldav.Writer) (bool, error) {
	if r.kind&lockable == 0 {
		return true, nil
	}
	for _, scope := range []string{"exclusive", "shared"} {
		x.Start(caldav.D("lockentry"))
		x.Start(caldav.D("lockscope"))
		x.Empty(caldav.D(scope))
		x.End(caldav.D("lockscope"))
		x.Start(caldav.D("locktype"))
		x.Empty(caldav.D("write"))
		x.End(caldav.D("locktype"))
		x.End(caldav.D("lockentry"))
	}
	return true, nil
}
