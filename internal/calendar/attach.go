package calendar

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Managed attachments (RFC 8607): the server keeps the file, the event names
// it by an address that cannot be guessed. All components of an event have the
// same ones: recurrence identifiers are not taken (RFC 8607 3.2, no-recurrence).

// Conditions of RFC 8607 3.11.
const (
	InvalidAttachAction problem.Condition = "valid-action-parameter"
	InvalidRID          problem.Condition = "valid-rid-parameter"
	InvalidManagedID    problem.Condition = "valid-managed-id-parameter"
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
	RID         string // not taken
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
	case req.RID != "":
		return AttachResult{}, problem.New(InvalidRID, "Attachments here belong to all occurrences of an event.")
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
	found := false
	for _, c := range cal.Main() {
		n := 0
		c.RemoveFunc(func(p *ical.Property) bool {
			if p.Name() != "ATTACH" {
				return false
			}
			n++
			hit := req.ManagedID != "" && p.Param("MANAGED-ID") == req.ManagedID
			found = found || hit
			return hit
		})
		if !adds {
			continue
		}
		if req.ManagedID == "" && n >= MaxAttachments {
			return undo(problem.New(TooManyAttachments, "An event has at most %d attachments.", MaxAttachments))
		}
		p := ical.NewProperty("ATTACH", req.Base+a.Token+"/"+pathSegment(a.Filename))
		p.SetParam("MANAGED-ID", managedID(a))
		p.SetParam("FMTTYPE", a.ContentType)
		p.SetParam("SIZE", strconv.Itoa(a.Size))
		p.SetParam("FILENAME", a.Filename)
		c.Add(p)
	}
	if req.ManagedID != "" && !found {
		return undo(problem.New(InvalidManagedID, "The event has no attachment with the managed-id %q.", clip(req.ManagedID)))
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
