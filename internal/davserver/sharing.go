package davserver

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Sharing by invitation, as CalendarServer has it (caldav-sharing): an owner
// posts CS:share to a calendar, the sharee finds a notification and answers
// with CS:invite-reply at their home.

// sharingProperties are those of caldav-sharing 5.2 and caldav-notifications 4.
var sharingProperties = []property{
	{name: caldav.CS("invite"), where: calendarColl, value: inviteValue},
	{name: caldav.CS("allowed-sharing-modes"), where: calendarColl, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if r.coll.Access < acl.Own || r.coll.Kind == store.Subscribed {
			return false, nil
		}
		x.Empty(caldav.CS("can-be-shared"))
		x.Empty(caldav.CS("can-be-published"))
		return true, nil
	}},
	{name: caldav.CS("shared-url"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		if !r.mounted() {
			return false, nil
		}
		x.Href(collectionHref(r.owner.Name, r.coll.Name))
		return true, nil
	}},
	{name: caldav.CS("publish-url"), where: calendarColl, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if r.coll.Access < acl.Own {
			return false, nil
		}
		list, err := q.s.calendar.Feeds(q.ctx, q.by, r.owner.ID, r.coll.Name)
		if err != nil || len(list) == 0 {
			return false, err
		}
		x.Href(q.feedURL(list[len(list)-1]))
		return true, nil
	}},
	{name: caldav.CS("source"), where: calendarColl, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if r.coll.Kind != store.Subscribed || r.owner.ID != q.by.Account {
			return false, nil
		}
		list, err := q.s.calendar.Subscriptions(q.ctx, q.by, r.owner.ID)
		for _, s := range list {
			if s.Collection == r.coll.ID {
				x.Href(s.URL)
			}
		}
		return true, err
	}},
	{name: caldav.CS("notification-URL"), where: principal, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if r.owner.ID != q.by.Account {
			return false, nil
		}
		x.Href(collectionHref(r.owner.Name, noticesName))
		return true, nil
	}},
	{name: caldav.CS("notificationtype"), where: notice, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		x.Empty(caldav.CS(noticeType(r.note.Kind)))
		return true, nil
	}},
}

// mounted reports whether a calendar is another's, seen in one's own home.
func (r *resource) mounted() bool {
	_, _, ok := calendar.ParseMountName(r.place.coll)
	return ok && r.kind&(calendarColl|object) != 0
}

func inviteValue(q *request, r *resource, x *caldav.Writer) (bool, error) {
	if r.coll.Access < acl.Own {
		if !r.mounted() {
			return false, nil
		}
		q.organizer(x, r.owner)
		return true, nil
	}
	list, err := q.s.calendar.Shares(q.ctx, q.by, r.owner.ID, r.coll.Name)
	if err != nil {
		return false, err
	}
	for _, s := range list {
		if s.Access < acl.Read || s.ID == store.Everyone { // nobody in particular was invited
			continue
		}
		x.Start(caldav.CS("user"))
		x.Href(q.addressOf(s.Account))
		x.Element(caldav.CS("common-name"), displayNameOf(s.Account))
		x.Empty(caldav.CS(map[string]string{store.MountInvited: "invite-noresponse", store.MountAccepted: "invite-accepted", store.MountDeclined: "invite-declined"}[s.State]))
		accessElement(x, s.Access)
		if s.Title != "" {
			x.Element(caldav.CS("summary"), s.Title)
		}
		x.End(caldav.CS("user"))
	}
	return true, nil
}

func accessElement(x *caldav.Writer, a acl.Access) {
	x.Start(caldav.CS("access"))
	if a >= acl.Write {
		x.Empty(caldav.CS("read-write"))
	} else {
		x.Empty(caldav.CS("read"))
	}
	x.End(caldav.CS("access"))
}

func displayNameOf(a store.Account) string {
	if a.DisplayName != "" {
		return a.DisplayName
	}
	return a.Name
}

// addressOf is how an account is named in an answer: its address, or its principal.
func (q *request) addressOf(a store.Account) string {
	if list, err := q.s.accounts.Addresses(q.ctx, a.ID); err == nil && len(list) > 0 {
		return string(list[0])
	}
	return principalHref(a.Name)
}

func (q *request) organizer(x *caldav.Writer, a store.Account) {
	x.Start(caldav.CS("organizer"))
	x.Href(q.addressOf(a))
	x.Element(caldav.CS("common-name"), displayNameOf(a))
	x.End(caldav.CS("organizer"))
}

// sharee finds the account that an href of a share names.
func (q *request) sharee(href string) (store.Account, error) {
	if p, err := parseHref(href, q.sameHost); err == nil && p.kind == principal {
		return q.account(p.account)
	}
	a, ok, err := q.s.accounts.Lookup(q.ctx, ical.Address(href))
	if err == nil && !ok {
		err = problem.New(problem.Forbidden, "%s has no account here; a calendar can be shared with people of this server, and published for everyone else.", clip(href))
	}
	return a, err
}

// postXML is POST of an XML body: sharing, answering, publishing.
func (q *request) postXML() error {
	body, err := readXML(q, caldav.ParsePost)
	if err != nil {
		return err
	}
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	switch b := body.(type) {
	case []caldav.Share:
		if r.kind == calendarColl {
			return q.postShare(r, b)
		}
	case *caldav.InviteReply:
		if r.kind == home && r.owner.ID == q.by.Account {
			return q.postInviteReply(b)
		}
	case *caldav.Publish:
		if r.kind == calendarColl {
			return q.postPublish(r, b)
		}
	case *caldav.PushRegister:
		return q.postPushRegister(r, b)
	}
	return problem.New(problem.Forbidden, "This is not the place for that request.")
}

func (q *request) postShare(r *resource, list []caldav.Share) error {
	if r.coll.Access < acl.Own {
		return problem.New(problem.NeedPrivileges, "Only its owner can share the calendar.")
	}
	var set []calendar.Invitee
	var remove []store.AccountID
	for _, s := range list {
		who, err := q.sharee(s.Href)
		if err != nil {
			if s.Remove && problem.Has(err, problem.Forbidden) {
				continue // gone already
			}
			return err
		}
		if s.Remove {
			remove = append(remove, who.ID)
			continue
		}
		access := acl.Read
		if s.Write {
			access = acl.Write
		}
		set = append(set, calendar.Invitee{Account: who.ID, Access: access, Title: s.Summary})
	}
	if err := q.s.calendar.Invite(q.ctx, q.by, r.owner.ID, r.coll.Name, set, remove); err != nil {
		return err
	}
	return q.nothing(http.StatusOK)
}

// nothing is an answer without a body.
func (q *request) nothing(status int) error {
	q.w.Header().Set("Content-Length", "0")
	q.w.WriteHeader(status)
	return nil
}

func (q *request) postInviteReply(b *caldav.InviteReply) error {
	at, err := parseHref(b.HostURL, q.sameHost)
	if err != nil {
		return err
	}
	if at.kind != calendarColl {
		return problem.New(problem.BadInput, "%s is no calendar.", clip(b.HostURL))
	}
	owner, err := q.account(at.account)
	if err != nil {
		return err
	}
	if me, err := q.sharee(b.Href); b.Href != "" && (err != nil || me.ID != q.by.Account) {
		return errors.Join(err, problem.New(problem.Forbidden, "Everyone answers for themselves; %s is not you.", clip(b.Href)))
	}
	c, err := q.s.calendar.Collection(q.ctx, q.by, owner.ID, at.coll)
	if err != nil {
		return err
	}
	if err := q.s.calendar.AnswerShare(q.ctx, q.by, owner.ID, c.ID, b.Accepted, b.InReplyTo); err != nil {
		return err
	}
	if !b.Accepted {
		return q.nothing(http.StatusOK)
	}
	if b.Summary != "" {
		if _, err := q.s.calendar.UpdateCollection(q.ctx, q.by, owner.ID, c.Name, func(c *store.Collection) error {
			c.DisplayName = b.Summary
			return nil
		}); err != nil {
			return err
		}
	}
	return q.document(http.StatusOK, func(x *caldav.Writer) {
		x.StartDocument(caldav.CS("shared-as"))
		x.Href(collectionHref(q.by.Name, store.MountName(owner.ID, c.ID)))
		x.End(caldav.CS("shared-as"))
	})
}

// document is an answer that is one XML document.
func (q *request) document(status int, write func(*caldav.Writer)) error {
	var out buffer
	x := caldav.NewWriter(&out)
	write(x)
	if err := x.Flush(); err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", xmlType)
	h.Set("Content-Length", strconv.Itoa(len(out)))
	q.w.WriteHeader(status)
	if q.r.Method == http.MethodHead {
		return nil
	}
	_, err := q.w.Write(out)
	return ignoreGone(err)
}

// noticesName is the URL segment of the notifications in a home.
const noticesName = "notification"

// noticeType is the element of a notification's kind.
func noticeType(kind string) string {
	if kind == calendar.NoteAccepted || kind == calendar.NoteDeclined {
		return "invite-reply"
	}
	return "invite-notification"
}

// getNotice is GET of one notification (caldav-sharing 6.15, 6.22).
func (q *request) getNotice(r *resource) error {
	h := q.w.Header()
	h.Set("ETag", r.noteETag())
	if done, err := q.conditional(r.noteETag(), r.note.Created); done || err != nil {
		return err
	}
	note := calendar.NoteOf(r.note)
	from, err := q.s.accounts.ByName(q.ctx, note.From)
	if err != nil {
		from = store.Account{Name: note.From}
	}
	host := ""
	if owner, err := q.s.accounts.Account(q.ctx, r.note.Owner); err == nil && r.coll.Name != "" {
		host = collectionHref(owner.Name, r.coll.Name)
	}
	me, err := q.me()
	if err != nil {
		return err
	}
	return q.document(http.StatusOK, func(x *caldav.Writer) {
		x.StartDocument(caldav.CS("notification"))
		x.Element(caldav.CS("dtstamp"), ical.UTCTime(r.note.Created).String())
		kind := caldav.CS(noticeType(r.note.Kind))
		if noticeType(r.note.Kind) == "invite-reply" {
			x.Start(kind)
			x.Href(q.addressOf(from))
			x.Empty(caldav.CS("invite-" + r.note.Kind))
			x.HrefIn(caldav.CS("hosturl"), host)
			x.Element(caldav.CS("in-reply-to"), note.ReplyTo)
			x.Element(caldav.CS("summary"), note.Title)
			x.Element(caldav.CS("common-name"), displayNameOf(from))
			x.End(kind)
			x.End(caldav.CS("notification"))
			return
		}
		x.Start(kind, "shared-type", "calendar")
		x.Element(caldav.CS("uid"), strings.TrimSuffix(r.note.Name, ".xml"))
		x.Href(q.addressOf(me))
		if r.note.Kind == calendar.NoteRemoved {
			x.Empty(caldav.CS("invite-deleted"))
		} else {
			x.Empty(caldav.CS("invite-noresponse"))
		}
		access, _ := acl.Parse(note.Access)
		accessElement(x, access)
		x.HrefIn(caldav.CS("hosturl"), host)
		q.organizer(x, from)
		x.Element(caldav.CS("summary"), note.Title)
		if len(note.Components) > 0 {
			x.Start(caldav.C("supported-calendar-component-set"))
			for _, c := range note.Components {
				x.Empty(caldav.C("comp"), "name", c)
			}
			x.End(caldav.C("supported-calendar-component-set"))
		}
		x.End(kind)
		x.End(caldav.CS("notification"))
	})
}

// noteETag: a notification never changes.
func (r *resource) noteETag() string { return `"n` + strconv.FormatInt(r.note.ID, 10) + `"` }

// postPublish makes an address of a calendar that anyone can read, or ends it.
func (q *request) postPublish(r *resource, b *caldav.Publish) error {
	if b.Off {
		if err := q.s.calendar.UnpublishFeeds(q.ctx, q.by, r.owner.ID, r.coll.Name); err != nil {
			return err
		}
		return q.nothing(http.StatusOK)
	}
	f, err := q.s.calendar.PublishFeed(q.ctx, q.by, r.owner.ID, r.coll.Name, calendar.FeedFull, "")
	if err != nil {
		return err
	}
	return q.document(http.StatusOK, func(x *caldav.Writer) {
		x.StartDocument(caldav.CS("publish-url"))
		x.Href(q.feedURL(f))
		x.End(caldav.CS("publish-url"))
	})
}
