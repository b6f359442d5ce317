package davserver

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/problem"
)

const (
	xmlType      = "application/xml; charset=utf-8"
	calendarType = "text/calendar; charset=utf-8"
)

// How long a client may take to send its body or to take one piece of the
// answer: slow lines pass, half-open connections do not pin the server.
const (
	bodyTime  = 2 * time.Minute
	pieceTime = 30 * time.Second
	pieceSize = 256 << 10 // octets: lines of 70 kbit/s pass
)

// spooled is an answer on its way. Nothing is sent before its spool is full, so
// that a refusal up to then is still an answer of its own, that an answer of
// usual size does not keep a database snapshot open while the client reads it,
// and that it goes out in one write with its length.
type spooled struct {
	q      *request
	status int
	spool  []byte
	body   *body // nil while everything is in the spool
}

// maxSpool is kept of one answer; longer ones stream, and this is all the
// memory they take.
const maxSpool = 512 << 10

// Write implements io.Writer for the pieces.
func (s *spooled) Write(b []byte) (int, error) {
	if s.body != nil {
		return s.body.Write(b)
	}
	if len(s.spool)+len(b) <= maxSpool {
		s.spool = append(s.spool, b...)
		return len(b), nil
	}
	s.body = s.q.begin(s.status, -1)
	_, err := s.body.Write(s.spool)
	if s.spool = nil; err != nil {
		return 0, err
	}
	return s.body.Write(b) // a large piece is not copied
}

// finish ends the answer, or refuses when nothing of it has gone out.
func (s *spooled) finish(err error) error {
	if err != nil && s.body == nil {
		return err
	}
	if err == nil && s.body == nil {
		s.body = s.q.begin(s.status, len(s.spool))
		_, err = s.body.Write(s.spool)
	}
	if err == nil {
		err = s.body.Close()
	}
	if err != nil {
		s.q.breakOff(err)
	}
	return nil
}

// multistatus is a 207 on its way.
type multistatus struct {
	*caldav.Multistatus
	out *spooled
}

func (q *request) multistatus() *multistatus {
	out := &spooled{q: q, status: http.StatusMultiStatus}
	if q.prefer.minimal {
		q.applied("return=minimal")
	}
	return &multistatus{caldav.NewMultistatus(out, q.prefer.minimal), out}
}

func (m *multistatus) finish(syncToken string, err error) error {
	if err == nil {
		err = m.Close(syncToken)
	}
	if err == nil || m.out.body != nil {
		return m.out.finish(err)
	}
	return err
}

// breakOff ends an answer that has begun and cannot go on: part of one must
// not look like a whole one, so the connection breaks.
func (q *request) breakOff(err error) {
	q.s.log.Info("an answer was broken off", "method", q.r.Method, "path", q.logPath(), "error", err)
	panic(http.ErrAbortHandler)
}

// body is an answer's body on its way out, compressed when that pays.
type body struct {
	q  *request
	gz *gzip.Writer
}

// worthCompressing is about what fits into one packet anyway.
const worthCompressing = 1400

// begin writes the header of an answer of a length, -1 when it is not known.
func (q *request) begin(status, length int) *body {
	h := q.w.Header()
	if status == http.StatusMultiStatus {
		h.Set("Content-Type", xmlType)
	}
	b := &body{q: q}
	if (length < 0 || length > worthCompressing) && q.acceptsGzip() {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		b.gz, _ = q.s.gzip.Get().(*gzip.Writer)
		if b.gz == nil {
			b.gz, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed)
		}
		b.gz.Reset(timed{q})
	} else if length >= 0 {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	q.w.WriteHeader(status)
	return b
}

// acceptsGzip reports whether the client asks for it (RFC 9110 12.5.3) and has
// a line between it and us that is slower than compressing.
func (q *request) acceptsGzip() bool {
	if host, _, err := net.SplitHostPort(q.r.RemoteAddr); err == nil {
		if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
			return false
		}
	}
	for part := range strings.SplitSeq(q.r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if strings.EqualFold(name, "gzip") {
			return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight, "q=0.") != ""
		}
	}
	return false
}

func (b *body) Write(p []byte) (int, error) {
	if b.gz != nil {
		return b.gz.Write(p)
	}
	return timed{b.q}.Write(p)
}

func (b *body) Close() error {
	if b.gz == nil {
		return nil
	}
	err := b.gz.Close()
	b.q.s.gzip.Put(b.gz)
	return err
}

// timed gives the client time for each piece.
type timed struct{ q *request }

func (t timed) Write(p []byte) (int, error) {
	n := 0
	for {
		m, err := t.q.piece(p[n:min(len(p), n+pieceSize)])
		if n += m; err != nil || n == len(p) {
			return n, err
		}
	}
}

// errCutOff ends an answer whose client takes nothing while others wait.
var errCutOff = errors.New("the client takes too long while others wait for room")

// piece writes one piece, which the client has to take in time.
func (q *request) piece(p []byte) (int, error) {
	now := time.Now()
	// Not every writer has deadlines (tests, middleware); then others watch.
	_ = http.NewResponseController(q.w).SetWriteDeadline(now.Add(cmp.Or(q.s.pieceTime, pieceTime)))
	q.waiting.Store(now.UnixNano())
	defer q.waiting.Store(0)
	// Asked after the deadline was set: who cuts sets one that has passed.
	if q.cutOff.Load() {
		return 0, errCutOff
	}
	n, err := q.w.Write(p)
	if err != nil && q.cutOff.Load() {
		err = errCutOff
	}
	return n, err
}

// readBody reads the request's body, at most max octets; more is refused before
// anything is read where the client says how long it is.
func (q *request) readBody(max int, condition problem.Condition) ([]byte, error) {
	if q.sent == nil && q.unsent == nil {
		var data []byte
		if data, q.unsent = q.readBodyOnce(max, condition); q.unsent == nil {
			q.sent = &data
		}
	}
	if q.unsent != nil {
		return nil, q.unsent
	}
	return *q.sent, nil
}

func (q *request) readBodyOnce(max int, condition problem.Condition) ([]byte, error) {
	tooLong := func() error {
		return problem.New(condition, "The request body has more than %d octets.", max)
	}
	if q.r.ContentLength > int64(max) {
		return nil, tooLong()
	}
	_ = http.NewResponseController(q.w).SetReadDeadline(time.Now().Add(bodyTime))
	data, err := q.readCounted(io.LimitReader(q.r.Body, int64(max)+1))
	if problem.Has(err, problem.Unavailable) {
		return nil, err
	}
	if err != nil && q.cutOff.Load() {
		return nil, problem.New(problem.Unavailable, "The request body came too slowly while others waited.").Because(err)
	}
	if err != nil {
		return nil, problem.New(problem.BadInput, "The request body could not be read to its end.").Because(err)
	}
	if len(data) > max {
		return nil, tooLong()
	}
	return data, nil
}

// readCounted reads to the end and counts what is large while it grows, twice:
// what is made of it is about as large again.
func (q *request) readCounted(r io.Reader) ([]byte, error) {
	data := make([]byte, 0, 512+max(0, min(int(q.r.ContentLength), weighty)))
	defer q.waiting.Store(0)
	for piece := 0; ; {
		if len(data) >= piece {
			q.waiting.Store(time.Now().UnixNano())
			piece = len(data) + pieceSize
		}
		if len(data) == cap(data) {
			was := cap(data)
			data = append(data, 0)[:len(data)]
			if cap(data) > weighty {
				if err := q.hold(2 * (cap(data) - was)); err != nil {
					return nil, err
				}
			}
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// xmlBody reads a body that has to be XML. What is no XML by its media type is
// refused as such when it cannot be read (RFC 4918 8.2).
func (q *request) xmlBody() ([]byte, error) {
	if err := q.notEncoded(); err != nil {
		return nil, err
	}
	limit := q.s.limits.XML.Size
	if limit <= 0 {
		limit = caldav.DefaultLimits.Size
	}
	data, err := q.readBody(limit, bodyTooLarge)
	if err == nil && q.sentInLatin1() && !utf8.Valid(data) && !bytes.Contains(data[:min(len(data), 100)], []byte("encoding=")) {
		data = latin1(data)
	}
	return data, err
}

// sentInLatin1 reports what the media type says of the body (RFC 7303 3.2).
func (q *request) sentInLatin1() bool {
	_, params, err := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	return err == nil && isLatin1(params["charset"])
}

func isLatin1(charset string) bool {
	return strings.EqualFold(charset, "iso-8859-1") || strings.EqualFold(charset, "latin1")
}

// notEncoded refuses bodies that are compressed or the like, and says what is
// taken instead (RFC 9110 8.4, 12.5.3).
func (q *request) notEncoded() error {
	list := strings.Join(q.r.Header.Values("Content-Encoding"), ",")
	if list == "" || strings.EqualFold(list, "identity") {
		return nil
	}
	q.w.Header().Set("Accept-Encoding", "identity")
	return problem.New(problem.UnsupportedMedia, "The body is encoded with %q; send it as it is.", clip(list))
}

// mediaType of the request, lower case and without parameters.
func (q *request) mediaType() string {
	t, _, _ := strings.Cut(q.r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

func isXML(mediaType string) bool {
	return mediaType == "" || mediaType == "application/xml" || mediaType == "text/xml" || strings.HasSuffix(mediaType, "+xml")
}

// readXML reads a body with a parser of package caldav.
func readXML[T any](q *request, parse func([]byte, caldav.Limits) (T, error)) (T, error) {
	var zero T
	data, err := q.xmlBody()
	if err != nil {
		return zero, err
	}
	v, err := parse(data, q.s.limits.XML)
	if err != nil && len(data) > 0 && !isXML(q.mediaType()) {
		return zero, problem.New(problem.UnsupportedMedia, "The request body is %s; this needs application/xml.", q.mediaType()).Because(err)
	}
	return v, err
}
