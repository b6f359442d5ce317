package calendar

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Managed attachments (RFC 8607): the server keeps the file, the event names
// it by an address that cannot be guessed. Occurrences may have ones of their own.

// Conditions of RFC 8607 3.11; the last is that of a PUT.
const (
	InvalidAttachAction problem.Condition = "valid-action"
	InvalidRID          problem.Condition = "valid-rid"
	InvalidManagedID    problem.Condition = "valid-managed-id"
	UnknownManagedID    problem.Condition = "valid-managed-id-parameter"
	AttachmentTooLarge  problem.Condition = "max-attachment-size"
	TooManyAttachments  problem.Condition = "max-attachments-per-resource"
)

// Limits of managed attachments.
const (
	MaxAttachments = 50
	maxFilename    = 255
	// keptUnused: an earlier version that is brought back finds its files.
	keptUnused = store.HistoryDays * 24 * time.Hour
)

// AttachRequest adds, replaces or removes an attachment of an event.
type AttachRequest struct {
	By account.Actor
	Ref
	Action      string // attachment-add, attachment-update, attachment-remove
	ManagedID   string // of what is replaced or removed
	RID         string // of which occurrences: "M" and RECURRENCE-IDs with commas; "" = all
	Filename    string
	ContentType string
	Body        []byte
	Base        string // address of attachments, to which the token and name are added
	If          Precondition
}

// AttachResult says what the event holds now.
type AttachResult struct {
	PutResult
	ManagedID string // of what was added; "" after a removal
}

// Attach changes the attachments of an event. It is a change of the event:
// who is invited is told.
func (s *Service) Attach(ctx context.Context, req AttachRequest) (AttachResult, error) {
	adds := req.Action == "attachment-add" || req.Action == "attachment-update"
	switch {
	case !adds && req.Action != "attachment-remove":
		return AttachResult{}, problem.New(InvalidAttachAction, "The action is attachment-add, attachment-update or attachment-remove, not %q.", clip(req.Action))
	case req.RID != "" && req.Action == "attachment-update":
		return AttachResult{}, problem.New(InvalidRID, "An attachment is replaced wherever it is: there is no rid (RFC 8607 3.5).")
	case req.Action == "attachment-add" && req.ManagedID != "", req.Action != "attachment-add" && req.ManagedID == "":
		return AttachResult{}, problem.New(InvalidManagedID, "What is replaced or removed is named by its managed-id, and what is added is not.")
	case adds && len(req.Body) > s.limits.ResourceSize:
		return AttachResult{}, problem.New(AttachmentTooLarge, "The attachment has %d octets; %d are allowed.", len(req.Body), s.limits.ResourceSize)
	}
	o, body, err := s.Get(ctx, req.By, req.Ref)
	if err != nil {
		return AttachResult{}, err
	}
	if err := req.If.check(&o); err != nil {
		return AttachResult{}, err
	}
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		return AttachResult{}, unreadable(err)
	}
	var a store.Attachment
	if adds {
		if a, err = s.keepAttachment(ctx, req, o); err != nil {
			return AttachResult{}, err
		}
	}
	undo := func(err error) (AttachResult, error) {
		if adds {
			_ = s.store.Update(ctx, func(tx *store.Tx) error { return tx.SetAttachmentUnused(a.Account, a.ID, s.now()) })
		}
		return AttachResult{}, err
	}
	targets, err := attachTargets(cal, req.RID, s.limits.ResourceSize)
	if err != nil {
		return undo(err)
	}
	managed := map[string]bool{}
	for _, c := range cal.Main() {
		for p := range c.Props("ATTACH") {
			if id := p.Param("MANAGED-ID"); id != "" {
				managed[id] = true
			}
		}
	}
	if req.Action == "attachment-add" && len(managed) >= MaxAttachments {
		return undo(problem.New(TooManyAttachments, "An event has at most %d attachments.", MaxAttachments))
	}
	found := req.Action == "attachment-add"
	for _, c := range targets {
		hit := req.Action == "attachment-add"
		c.RemoveFunc(func(p *ical.Property) bool {
			if p.Name() != "ATTACH" || req.ManagedID == "" || p.Param("MANAGED-ID") != req.ManagedID {
				return false
			}
			hit = true
			return true
		})
		found = found || hit
		if adds && hit { // an update adds to none that had it not (RFC 8607 3.5)
			p := ical.NewProperty("ATTACH", req.Base+a.Token+"/"+pathSegment(a.Filename))
			p.SetParam("MANAGED-ID", managedID(a))
			p.SetParam("FMTTYPE", a.ContentType)
			p.SetParam("SIZE", strconv.Itoa(a.Size))
			p.SetParam("FILENAME", a.Filename)
			c.Add(p)
		}
	}
	if !found {
		return undo(problem.New(InvalidManagedID, "The event has no attachment with the managed-id %q there.", clip(req.ManagedID)))
	}
	res, err := s.Put(ctx, PutRequest{By: req.By, Ref: req.Ref, Data: cal.Bytes(), If: Precondition{IfMatch: []string{o.ETag}}})
	if err != nil {
		return undo(err)
	}
	out := AttachResult{PutResult: res}
	if adds {
		out.ManagedID = managedID(a)
	}
	return out, nil
}

// maxRIDs of one request.
const maxRIDs = 100

// attachTargets are the components of which a rid speaks: all of them, the
// master (M), overrides by their RECURRENCE-ID as it is written, and occurrences
// that get an override by this (RFC 8607 3.3.2), which are not to have more than
// most octets together.
func attachTargets(cal *ical.Calendar, rid string, most int) ([]*ical.Component, error) {
	if rid == "" {
		return cal.Main(), nil
	}
	items := strings.Split(rid, ",")
	if len(items) > maxRIDs {
		return nil, problem.New(InvalidRID, "At most %d occurrences can be named at once.", maxRIDs)
	}
	invalid := func(item string) ([]*ical.Component, error) {
		return nil, problem.New(InvalidRID, "The event has no occurrence %q; a rid holds M and RECURRENCE-IDs as the event writes them, each once.", clip(item))
	}
	var out []*ical.Component
	var made []*ical.Component
	seen := map[string]bool{}
	zones := tz.NewResolver(cal, nil)
	master := cal.Master()
	for _, item := range items {
		key := strings.ToUpper(strings.TrimSpace(item))
		if seen[key] {
			return invalid(item)
		}
		seen[key] = true
		if key == "M" {
			if master == nil {
				return invalid(item)
			}
			out = append(out, master)
			continue
		}
		if i := slices.IndexFunc(cal.Overrides(), func(c *ical.Component) bool { return c.Value("RECURRENCE-ID") == key }); i >= 0 {
			out = append(out, cal.Overrides()[i])
			continue
		}
		if master == nil || master.Prop("DTSTART") == nil {
			return invalid(item)
		}
		id, err := ical.ParseTime(key, master.Prop("DTSTART").Param("TZID"), false)
		if err != nil {
			return invalid(item)
		}
		c, err := recur.Instance(cal, id, zones)
		if err != nil || c.Value("RECURRENCE-ID") != key {
			return invalid(item)
		}
		if most -= len(c.Bytes()); most < 0 {
			return nil, problem.New(problem.TooLarge, "An attachment of these occurrences makes the event too large; name fewer of them.")
		}
		out, made = append(out, c), append(made, c)
	}
	cal.Components = append(cal.Components, made...)
	return out, nil
}

// CheckManaged refuses an ATTACH that says it is kept here, below base, and is
// not (RFC 8607 3.11). What other servers keep is left as it is.
func (s *Service) CheckManaged(ctx context.Context, body []byte, base string) error {
	if !bytes.Contains(body, []byte("MANAGED-ID")) {
		return nil
	}
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		return nil // refused as what it is
	}
	return s.store.View(ctx, func(tx *store.Tx) error {
		known := map[string]bool{}
		for _, c := range cal.Main() {
			for p := range c.Props("ATTACH") {
				rest, ours := strings.CutPrefix(p.Value(), base)
				id := p.Param("MANAGED-ID")
				if !ours || id == "" || known[rest+" "+id] {
					continue
				}
				token, _, _ := strings.Cut(rest, "/")
				a, err := tx.Attachment(token)
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
				if err != nil || managedID(a) != id {
					return problem.New(UnknownManagedID, "There is no attachment here with the managed-id %q.", clip(id))
				}
				known[rest+" "+id] = true
			}
		}
		return nil
	})
}

func managedID(a store.Attachment) string { return fmt.Sprintf("%d-%s", a.ID, a.Token[:8]) }

// pathSegment keeps of a file name what an address can show as it is.
func pathSegment(name string) string {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r) {
			return r
		}
		return '_'
	}, name)
	if strings.Trim(s, "._") == "" {
		return "attachment"
	}
	return s
}

func (s *Service) keepAttachment(ctx context.Context, req AttachRequest, o store.Object) (store.Attachment, error) {
	name := strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '/' || r == '\\' || r == '"' {
			return -1
		}
		return r
	}, req.Filename)
	if name = clipTo(strings.TrimSpace(name), maxFilename-len("…")); name == "" {
		name = "attachment"
	}
	a := store.Attachment{Account: o.Account, Token: rand.Text(), UID: o.UID, Filename: name, ContentType: req.ContentType, Created: s.now()}
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		if _, _, err := s.collection(tx, req.By, req.Owner, req.Collection, acl.Write); err != nil {
			return err
		}
		if err := s.quota(tx, o.Account, len(req.Body)); err != nil {
			return err
		}
		return tx.AddAttachment(&a, req.Body)
	})
	return a, err
}

// Attachment reads an attachment by the token of its address.
func (s *Service) Attachment(ctx context.Context, token string) (a store.Attachment, body []byte, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		a, err = tx.Attachment(token)
		if errors.Is(err, store.ErrNotFound) {
			return problem.New(problem.NotFound, "There is no attachment at this address; it may have been removed.").Because(err)
		}
		if err != nil {
			return err
		}
		body, err = tx.AttachmentBody(a.Account, a.ID)
		return err
	})
	return a, body, err
}

// sweepAttachments finds those that no event of their owner names any more, and
// removes them when that has been so for long enough.
func (s *Service) sweepAttachments(ctx context.Context) error {
	var account store.AccountID
	var id int64
	for {
		var list []store.Attachment
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			if list, err = tx.AttachmentsInUse(s.now().Add(-24*time.Hour), account, id, 100); err != nil {
				return err
			}
			for _, a := range list {
				named := false
				objects, err := tx.ObjectsByUID(a.Account, a.UID)
				if err != nil {
					return err
				}
				for _, o := range objects {
					body, err := tx.Body(o.Account, o.ID)
					if err != nil {
						return err
					}
					// The address may be folded anywhere (RFC 5545 3.1).
					body = bytes.ReplaceAll(body, []byte("\r\n "), nil)
					named = named || bytes.Contains(body, []byte(a.Token))
				}
				if !named {
					if err := tx.SetAttachmentUnused(a.Account, a.ID, s.now()); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil || len(list) == 0 {
			return err
		}
		account, id = list[len(list)-1].Account, list[len(list)-1].ID
	}
}
