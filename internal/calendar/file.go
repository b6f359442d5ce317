package calendar

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// A home may hold plain collections beside calendars, and those anything
// (RFC 4918 5.2; RFC 4791 4.2 forbids calendars in calendars only). They are
// their owner's alone and schedule nothing.

// maxFileDepth of plain collections within each other, and maxFiles of a home.
const (
	maxFileDepth = 20
	maxFiles     = 10_000
)

// ownFiles refuses others: what lies in plain collections is not shared, and
// that it is there is not told.
func ownFiles(by account.Actor, owner store.AccountID, path string) error {
	if by.Account != owner {
		return notFound(path)
	}
	return nil
}

// File finds a file or plain collection of one's own home.
func (s *Service) File(ctx context.Context, by account.Actor, owner store.AccountID, path string) (f store.File, err error) {
	if err = ownFiles(by, owner, path); err != nil {
		return f, err
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		f, err = tx.File(owner, path)
		if errors.Is(err, store.ErrNotFound) {
			return notFound(path).Because(err)
		}
		return err
	})
	return f, err
}

// FileBody reads the octets of a file.
func (s *Service) FileBody(ctx context.Context, by account.Actor, owner store.AccountID, path string) (body []byte, err error) {
	if err = ownFiles(by, owner, path); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		body, err = tx.FileBody(owner, path)
		if errors.Is(err, store.ErrNotFound) {
			return notFound(path).Because(err)
		}
		return err
	})
	return body, err
}

// Files lists what is directly in a plain collection; "" is the home.
func (s *Service) Files(ctx context.Context, by account.Actor, owner store.AccountID, in string) (list []store.File, err error) {
	if by.Account != owner {
		return nil, nil
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.FilesIn(owner, in)
		return err
	})
	return list, err
}

// PutFileRequest stores a file, or makes a plain collection.
type PutFileRequest struct {
	By        account.Actor
	Owner     store.AccountID
	File      store.File // Path, Directory, ContentType, Language, Properties of a new one
	Body      []byte
	If        Precondition
	Directory bool
}

// PutFile stores a file in a plain collection.
func (s *Service) PutFile(ctx context.Context, req PutFileRequest) (created bool, stored store.File, err error) {
	if err := ownFiles(req.By, req.Owner, req.File.Path); err != nil {
		return false, store.File{}, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		f := req.File
		f.Account, f.Directory = req.Owner, req.Directory
		have, err := file(tx, req.Owner, f.Path)
		if err != nil {
			return err
		}
		var o *store.Object
		if have != nil {
			o = &store.Object{ETag: have.ETag, Modified: have.Modified}
		}
		if err := req.If.check(o); err != nil {
			return err
		}
		f.Modified, created = s.now(), have == nil
		f.Created = f.Modified
		switch {
		case have == nil:
			if err := s.room(tx, f); err != nil {
				return err
			}
		case f.Directory:
			return problem.New(problem.ResourceMustBeNull, "There is already something at %s.", f.Path)
		case have.Directory:
			return problem.New(problem.MethodNotAllowed, "%s is a collection; a file cannot take its place.", f.Path)
		default:
			f.Created, f.Properties = have.Created, have.Properties
		}
		size := 0
		if have != nil {
			size = have.Size
		}
		if err := s.quota(tx, req.Owner, len(req.Body)-size); err != nil {
			return err
		}
		if !f.Directory {
			f.ETag = etag(req.Body)
		}
		f.Size, stored = len(req.Body), f
		return tx.PutFile(f, req.Body)
	})
	return created, stored, err
}

// file is nil where there is none.
func file(tx *store.Tx, owner store.AccountID, path string) (*store.File, error) {
	f, err := tx.File(owner, path)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &f, err
}

// room refuses a new file where its collection is missing or all is full.
func (s *Service) room(tx *store.Tx, f store.File) error {
	segments := strings.Split(f.Path, "/")
	for _, name := range segments {
		if err := checkName(name); err != nil {
			return err
		}
	}
	if len(segments) > maxFileDepth {
		return problem.New(problem.Forbidden, "Collections here are at most %d deep.", maxFileDepth)
	}
	if in, _, nested := cutLast(f.Path); nested {
		parent, err := file(tx, f.Account, in)
		if err != nil {
			return err
		}
		if parent == nil || !parent.Directory { // RFC 4918 9.3.1, 9.7.1
			return problem.New(problem.ParentMissing, "There is no collection %s to put it into.", in)
		}
	} else {
		if !f.Directory {
			return problem.New(problem.Forbidden, "A home holds calendars and collections; make a collection for files.")
		}
		if _, err := tx.CollectionByName(f.Account, f.Path); err == nil {
			return problem.New(problem.ResourceMustBeNull, "There is already a calendar with the name %s.", f.Path)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	all, err := tx.Files(f.Account, "")
	if err == nil && len(all) >= maxFiles {
		err = problem.New(problem.InsufficientStorage, "A home holds at most %d files.", maxFiles)
	}
	return err
}

// cutLast cuts the last segment off a path.
func cutLast(path string) (folder, name string, nested bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// SetFileProperties changes the dead properties of a file; edit may be called
// twice, and its error changes nothing and is returned.
func (s *Service) SetFileProperties(ctx context.Context, by account.Actor, owner store.AccountID, path string, edit func(map[string]string) error) error {
	if err := ownFiles(by, owner, path); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		f, err := tx.File(owner, path)
		if errors.Is(err, store.ErrNotFound) {
			return notFound(path).Because(err)
		}
		if err != nil {
			return err
		}
		props, err := editedProperties(f.Properties, edit)
		if err != nil {
			return err
		}
		return tx.SetFileProperties(owner, path, props)
	})
}

// DeleteFile removes a file, or a plain collection with all that is in it.
func (s *Service) DeleteFile(ctx context.Context, by account.Actor, owner store.AccountID, path string, cond Precondition) error {
	if err := ownFiles(by, owner, path); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		f, err := file(tx, owner, path)
		if err != nil {
			return err
		}
		if f == nil {
			return notFound(path)
		}
		if err := cond.check(&store.Object{ETag: f.ETag, Modified: f.Modified}); err != nil {
			return err
		}
		return tx.DeleteFile(owner, path)
	})
}

// MoveFileRequest moves or copies a file or plain collection within its home.
type MoveFileRequest struct {
	By        account.Actor
	Owner     store.AccountID
	From, To  string
	Copy      bool
	Shallow   bool // a collection without what is in it; for copies
	Overwrite bool
	If        Precondition // on From
}

// MoveFile is COPY and MOVE of plain resources (RFC 4918 9.8, 9.9): what stands
// at the destination goes, when it may.
func (s *Service) MoveFile(ctx context.Context, req MoveFileRequest) (created bool, err error) {
	if err := ownFiles(req.By, req.Owner, req.From); err != nil {
		return false, err
	}
	if req.From == req.To || under(req.To, req.From) || under(req.From, req.To) {
		return false, problem.New(problem.Forbidden, "A collection cannot be put into itself, nor into the place of what it lies in.")
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		f, err := file(tx, req.Owner, req.From)
		if err != nil {
			return err
		}
		if f == nil {
			return notFound(req.From)
		}
		if err := req.If.check(&store.Object{ETag: f.ETag, Modified: f.Modified}); err != nil {
			return err
		}
		there, err := file(tx, req.Owner, req.To)
		if err != nil {
			return err
		}
		created = there == nil
		below, err := tx.Files(req.Owner, req.From)
		if err != nil {
			return err
		}
		if req.Copy && req.Shallow {
			below = nil
		}
		deepest := strings.Count(req.To, "/") + 1
		for _, b := range below {
			deepest = max(deepest, strings.Count(req.To, "/")+1+strings.Count(b.Path, "/")-strings.Count(req.From, "/"))
		}
		if deepest > maxFileDepth {
			return problem.New(problem.Forbidden, "Collections here are at most %d deep.", maxFileDepth)
		}
		switch {
		case there == nil:
			to := *f
			to.Path = req.To
			if err := s.room(tx, to); err != nil {
				return err
			}
		case !req.Overwrite:
			return problem.New(problem.PreconditionFailed, "There is already something at %s (Overwrite: F).", req.To)
		default:
			if err := tx.DeleteFile(req.Owner, req.To); err != nil {
				return err
			}
		}
		if !req.Copy {
			return tx.MoveFile(req.Owner, req.From, req.To)
		}
		size, count := f.Size, 1+len(below)
		for _, b := range below {
			size += b.Size
		}
		if all, err := tx.Files(req.Owner, ""); err != nil {
			return err
		} else if len(all)+count > maxFiles {
			return problem.New(problem.InsufficientStorage, "A home holds at most %d files.", maxFiles)
		}
		if err := s.quota(tx, req.Owner, size); err != nil {
			return err
		}
		return tx.CopyFile(req.Owner, req.From, req.To, !req.Shallow, s.now())
	})
	return created, err
}

// quota refuses what would make an account's data grow beyond its limit
// (RFC 4331 6).
func (s *Service) quota(tx *store.Tx, owner store.AccountID, more int) error {
	if s.limits.Quota <= 0 || more <= 0 {
		return nil
	}
	used, err := tx.Usage(owner)
	if err != nil {
		return fmt.Errorf("usage of account %d: %w", owner, err)
	}
	if used+int64(more) > s.limits.Quota {
		return problem.New(problem.InsufficientStorage, "This needs %d octets more than the %d that this account may use; %d are in use. Delete something first.",
			used+int64(more)-s.limits.Quota, s.limits.Quota, used)
	}
	return nil
}

// Usage is how many octets an account's data take, and how many it may use (0: no limit).
func (s *Service) Usage(ctx context.Context, owner store.AccountID) (used, limit int64, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		used, err = tx.Usage(owner)
		return err
	})
	return used, max(s.limits.Quota, 0), err
}

func isAbsent(err error) bool { return errors.Is(err, store.ErrNotFound) }

// editedProperties is a copy of dead properties as edit leaves them, within
// the limits that hold for those of a collection.
func editedProperties(stored map[string]string, edit func(map[string]string) error) (map[string]string, error) {
	props := maps.Clone(stored)
	if props == nil {
		props = map[string]string{}
	}
	if err := edit(props); err != nil {
		return nil, err
	}
	return props, checkCollection(&store.Collection{Properties: props})
}
