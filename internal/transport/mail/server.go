package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// maxLine is the longest line taken in DATA. RFC 5321 4.5.3.1.6 has 1000
// octets; mail with longer lines is common, and it is not lost for them.
const maxLine = 1 << 20

// drainTime is how long connections may finish when the server stops.
const drainTime = 5 * time.Second

// ServeLMTP answers LMTP (RFC 2033), each recipient with its own status, until
// ctx ends; then it finishes what is under way, and returns nil.
func (m *Mail) ServeLMTP(ctx context.Context, l net.Listener) error { return m.serve(ctx, l, true) }

// ServeSMTP answers SMTP (RFC 5321) for our own addresses until ctx ends.
func (m *Mail) ServeSMTP(ctx context.Context, l net.Listener) error { return m.serve(ctx, l, false) }

func (m *Mail) serve(ctx context.Context, l net.Listener, lmtp bool) error {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{m: m, lmtp: lmtp, helo: c.Hostname(), remote: c.Conn().RemoteAddr().String(), conn: countedOf(c.Conn())}, nil
	}))
	s.LMTP = lmtp
	s.Domain = m.o.Hostname
	s.MaxMessageBytes = int64(m.o.MaxMessageSize)
	s.MaxRecipients = m.o.MaxRecipients
	s.MaxLineLength = maxLine
	s.ReadTimeout, s.WriteTimeout = m.o.Timeout, m.o.Timeout
	s.EnableSMTPUTF8 = true
	s.ErrorLog = errorLog{m.log}
	if !lmtp {
		s.TLSConfig = m.o.TLS
	}
	limited := &limitedListener{Listener: l, most: int64(m.o.MaxConnections)}
	done := make(chan error, 1)
	go func() { done <- s.Serve(limited) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	finished := make(chan error, 1)
	go func() { finished <- s.Shutdown(drain) }()
	// Shutdown waits for clients to go by themselves. What was not answered 250
	// is theirs still, so only a mail that is being taken is worth waiting for.
	limited.conns.closeIf(func(c *countedConn) bool { return !c.busy.Load() })
	if err := <-finished; errors.Is(err, context.DeadlineExceeded) {
		limited.conns.closeIf(func(*countedConn) bool { return true })
	}
	<-done
	return nil
}

// limitedListener turns connections away beyond a number, with 421 instead of
// silence, and can close those there are.
type limitedListener struct {
	net.Listener
	most  int64
	open  atomic.Int64
	conns connections
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) > l.most {
			l.open.Add(-1)
			c.SetDeadline(time.Now().Add(time.Second))
			io.WriteString(c, "421 4.3.2 Too many connections; try again later\r\n")
			c.Close()
			continue
		}
		counted := &countedConn{Conn: c, l: l}
		l.conns.add(counted)
		return counted, nil
	}
}

type errorLog struct{ log *slog.Logger }

func (l errorLog) Printf(format string, v ...any) { l.log.Warn(oneLine(fmt.Sprintf(format, v...))) }
func (l errorLog) Println(v ...any)               { l.log.Warn(oneLine(fmt.Sprintln(v...))) }

// session is one client's connection.
type session struct {
	m            *Mail
	lmtp         bool
	helo, remote string
	conn         *countedConn
	from         string
	to           []target
}

// Refusals (RFC 3463).
var (
	errNoUser   = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "There is no calendar user with this address here"}
	errNotOurs  = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "This server takes mail for its own calendar users only; it does not relay"}
	errTooLarge = &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "The message is larger than this server takes"}
	errLoop     = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 4, 6}, Message: "The message has been through too many servers; it is probably in a loop"}
	errLongLine = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "The message has a line that is too long"}
	errLater    = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The message could not be stored; try again later"}
	errCutOff   = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 4, 2}, Message: "The message did not arrive whole; try again"}
)

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	if o != nil && o.Size > int64(s.m.o.MaxMessageSize) {
		return errTooLarge // RFC 1870 6.1
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.m.o.Timeout)
	defer cancel()
	t, err := s.m.resolve(ctx, to)
	if err != nil {
		var reply *smtp.SMTPError
		if errors.As(err, &reply) {
			return reply
		}
		s.m.log.Error("recipient cannot be looked up", "error", err)
		return errLater
	}
	if s.m.crowded(s.from, t) {
		return errCrowded
	}
	s.to = append(s.to, t)
	return nil
}

// receive reads and stores the message for all recipients. The error, if any,
// is the SMTP reply.
func (s *session) receive(r io.Reader) error {
	s.conn.busy.Store(true)
	defer s.conn.busy.Store(false)
	raw, err := io.ReadAll(r)
	if err != nil {
		var reply *smtp.SMTPError
		switch {
		case errors.As(err, &reply):
			return reply
		case errors.Is(err, smtp.ErrTooLongLine):
			return errLongLine
		}
		return errCutOff
	}
	// The client may be gone before the work is done; the mail is not.
	ctx, cancel := context.WithTimeout(context.Background(), s.m.o.Timeout)
	defer cancel()
	env := Envelope{From: s.from, Remote: s.remote, Hello: s.helo, Border: !s.lmtp && !isInside(s.remote)}
	if s.m.besieged(ctx, raw, env, s.to) {
		return errCrowded
	}
	_, err = s.m.intake(ctx, s.trace(raw), env, s.to)
	var reply *smtp.SMTPError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &reply):
		return reply
	}
	s.m.log.Error("message cannot be stored", "from", s.from, "remote", s.remote, "error", err)
	return errLater
}

// isInside tells whether a peer is on this machine or in a private network,
// where the site's own mail server stands.
func isInside(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return true // no address: a socket of this machine
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast())
}

// trace puts our Received field on top (RFC 5321 4.4).
func (s *session) trace(raw []byte) []byte {
	with := "SMTP"
	if s.lmtp {
		with = "LMTP"
	}
	field := fmt.Sprintf("Received: from %s (%s)\r\n\tby %s with %s; %s\r\n", clean(s.helo), clean(s.remote), clean(s.m.o.Hostname), with, s.m.now().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	return append([]byte(field), raw...)
}

// clean makes a word from the network safe inside a header field.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '(' || r == ')' || r == ';' || r >= 0x7f {
			return '?'
		}
		return r
	}, s)
}

// Data implements SMTP: one answer for all recipients.
func (s *session) Data(r io.Reader) error { return s.receive(r) }

// LMTPData implements LMTP: one answer for each recipient. All of them are
// stored in one transaction, so the answers are the same.
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	return s.receive(r)
}
