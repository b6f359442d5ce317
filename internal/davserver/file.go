package davserver

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Plain collections and what lies in them (RFC 4918 5.2). By its form a URL of
// theirs looks like that of a calendar or an event; so a request that finds no
// calendar of the name is tried as one for them.

// plainMethods are what plain resources have.
var plainMethods = map[string]func(*request) error{
	"OPTIONS": (*request).options, "GET": (*request).getFile, "HEAD": (*request).getFile, "PUT": (*request).putFile, "DELETE": (*request).deleteFile,
	"PROPFIND": (*request).propfind, "PROPPATCH": (*request).proppatch, "MKCOL": (*request).makeFolder,
	"COPY": (*request).moveFile, "MOVE": (*request).moveFile, "LOCK": (*request).lock, "UNLOCK": (*request).unlock,
}

// asPlain serves the request as one for a plain resource, where the home has a
// plain collection of the name; else the refusal stands.
func (q *request) asPlain(refusal error) error {
	at, ok := q.plainPlace(q.at)
	if !ok {
		return refusal
	}
	q.at = at
	if q.r.Method == "MKCALENDAR" {
		return q.noPlaceForCalendar()
	}
	do := plainMethods[q.r.Method]
	if do == nil || !allows(plain, q.r.Method) {
		if !problem.Has(refusal, problem.NotFound) && !problem.Has(refusal, problem.ParentMissing) {
			return refusal
		}
		return problem.New(problem.MethodNotAllowed, "%s is not possible here.", q.r.Method)
	}
	if err := q.mayWrite(); err != nil {
		return err
	}
	return do(q)
}

// plainPlace is a place as one of a plain resource, of one's own home alone.
func (q *request) plainPlace(p place) (place, bool) {
	if p.kind == plain {
		return p, true
	}
	if p.kind&(calendarColl|object|beyond) == 0 || p.account != q.by.Name {
		return p, false
	}
	f, err := q.s.calendar.File(q.ctx, q.by, q.by.Account, p.coll)
	if err != nil || !f.Directory {
		return p, false
	}
	p.path = p.lockPath()
	p.kind, p.coll, p.name = plain, "", ""
	return p, true
}

// findAny is findPlain for events and plain resources alike.
func (q *request) findAny(p place) (*resource, error) {
	if p.kind == plain {
		return q.find(p)
	}
	r, err := q.findPlain(p)
	if problem.Has(err, problem.NotFound) {
		if at, ok := q.plainPlace(p); ok {
			return q.find(at)
		}
	}
	return r, err
}

// fileResource is a file as a resource.
func (q *request) fileResource(p place, f store.File) *resource {
	p.path, p.slash = f.Path, f.Directory
	p.folder = f.Directory
	return &resource{place: p, owner: store.Account{ID: f.Account, Name: p.account}, file: f}
}

func (q *request) getFile() error {
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	h := q.w.Header()
	if r.file.Directory {
		const sentence = "This is a collection of files; a WebDAV program shows what is in it.\n"
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(len(sentence)))
		if q.r.Method == "GET" {
			_, err = q.w.Write([]byte(sentence))
		}
		return ignoreGone(err)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Disposition", "attachment") // what users store is never a page of ours
	h.Set("Content-Type", r.file.ContentType)
	if r.file.Language != "" {
		h.Set("Content-Language", r.file.Language)
	}
	h.Set("ETag", r.file.ETag)
	h.Set("Last-Modified", r.file.Modified.UTC().Format(http.TimeFormat))
	if done, err := q.conditional(r.file.ETag, r.file.Modified); done || err != nil {
		return err
	}
	h.Set("Content-Length", strconv.Itoa(r.file.Size))
	if q.r.Method == "HEAD" {
		return nil
	}
	body, err := q.s.calendar.FileBody(q.ctx, q.by, r.owner.ID, r.path)
	if err != nil {
		return err
	}
	_, err = timed{q}.Write(body)
	return ignoreGone(err)
}

func (q *request) putFile() error {
	if q.r.Header.Get("Content-Range") != "" {
		return problem.New(problem.BadInput, "A file cannot be stored in parts.") // RFC 9110 14.5
	}
	data, err := q.readBody(q.s.calendar.Limits().ResourceSize, bodyTooLarge)
	if err != nil {
		return err
	}
	cond, err := q.conditions()
	if err != nil {
		return err
	}
	contentType := q.r.Header.Get("Content-Type")
	if contentType == "" || len(contentType) > 200 {
		contentType = "application/octet-stream"
	}
	language := q.r.Header.Get("Content-Language")
	if len(language) > maxLanguage {
		language = ""
	}
	created, f, err := q.s.calendar.PutFile(q.ctx, calendar.PutFileRequest{
		By: q.by, Owner: q.by.Account, File: store.File{Path: q.at.path, ContentType: contentType, Language: language}, Body: data, If: cond,
	})
	if err != nil {
		return err
	}
	q.w.Header().Set("ETag", f.ETag)
	if !created {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return q.created("")
}

// created is a 201 without a body.
func (q *request) created(location string) error {
	h := q.w.Header()
	if location != "" {
		h.Set("Location", location)
	}
	h.Set("Content-Length", "0")
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

func (q *request) deleteFile() error {
	d, err := q.depth(depthInfinity)
	if err != nil {
		return err
	}
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	if r.file.Directory && d != depthInfinity { // RFC 4918 9.6.1
		return problem.New(problem.BadInput, "A collection is deleted with all it holds: Depth must be infinity.")
	}
	if q.r.URL.Fragment != "" || strings.Contains(q.r.RequestURI, "#") {
		return problem.New(problem.BadInput, "The address has a fragment; a part of a resource cannot be deleted.")
	}
	cond, err := q.conditions()
	if err != nil {
		return err
	}
	if err := q.s.calendar.DeleteFile(q.ctx, q.by, q.by.Account, q.at.path, cond); err != nil {
		return err
	}
	q.unlockGone(q.at)
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// makeFolder is MKCOL of a plain collection (RFC 4918 9.3, RFC 5689 3).
func (q *request) makeFolder() error {
	if q.r.ContentLength > 0 && !isXML(q.mediaType()) {
		return problem.New(problem.UnsupportedMedia, "The request body is %s; this needs application/xml.", q.mediaType())
	}
	values, err := readXML(q, caldav.ParseMkCol)
	if err != nil {
		return err
	}
	path := q.at.lockPath()
	e := &edit{q: q, making: true, results: make([]error, len(values))}
	for _, v := range values {
		e.steps = append(e.steps, caldav.Instruction{Value: v})
		if v.Name == caldav.D("resourcetype") {
			for t := range v.Elements() {
				if t.Name != caldav.D("collection") { // RFC 5689 3.3
					return invalidType
				}
			}
		}
	}
	if _, err := q.checkIf(); err != nil {
		return err
	}
	dead := map[string]string{}
	if e.apply(plain, nil, dead, nil); e.failed() {
		return q.notMade(e, caldav.D("mkcol-response"))
	}
	_, _, err = q.s.calendar.PutFile(q.ctx, calendar.PutFileRequest{
		By: q.by, Owner: q.by.Account, File: store.File{Path: path, Properties: dead}, Directory: true, If: calendar.Precondition{IfNoneMatch: q.precondition().IfNoneMatch},
	})
	if err != nil {
		return err
	}
	return q.created("")
}

// moveFile is COPY and MOVE of plain resources.
func (q *request) moveFile() error {
	dest, to, overwrite, err := q.destination()
	if err != nil {
		return err
	}
	d, err := q.depth(depthInfinity)
	if err != nil {
		return err
	}
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	if r.file.Directory && (d == depth1 || d == depth0 && q.r.Method == "MOVE") { // RFC 4918 9.8.3, 9.9.2
		return problem.New(problem.BadInput, "A collection is moved with all it holds, and copied so or alone: Depth is infinity, or 0 for a copy.")
	}
	if to.account != q.at.account || to.kind&(calendarColl|object|beyond) == 0 {
		return problem.New(problem.Forbidden, "Files stay in the collections of their home; %s is none.", clip(dest))
	}
	if _, err := q.collection(to); err == nil {
		return problem.New(problem.BadCalendarLocation, "A calendar holds events, and no files: %s.", clip(dest))
	}
	cond, err := q.conditions()
	if err != nil {
		return err
	}
	created, err := q.s.calendar.MoveFile(q.ctx, calendar.MoveFileRequest{
		By: q.by, Owner: q.by.Account, From: q.at.path, To: to.lockPath(), Copy: q.r.Method == "COPY", Shallow: d == depth0, Overwrite: overwrite, If: cond,
	})
	if err != nil {
		return err
	}
	if q.r.Method == "MOVE" {
		q.unlockGone(q.at)
	}
	if created {
		return q.created(place{kind: plain, account: to.account, path: to.lockPath(), folder: r.file.Directory}.href())
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
