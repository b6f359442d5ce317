package cip

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/convene-cal/convene/cip"
)

// stream is the connection, which ends between commands when the server stops.
func (s *session) stream() io.ReadWriter { return s }

// Read implements io.Reader.
func (s *session) Read(b []byte) (int, error) {
	n, err := s.raw.Read(b)
	s.idle.Store(false)
	return n, err
}

// Write implements io.Writer.
func (s *session) Write(b []byte) (int, error) { return s.raw.Write(b) }

// Wait implements [cip.Session].
func (s *session) Wait(data bool) {
	now := time.Now()
	limit := now.Add(s.c.times.idle)
	if data {
		if s.began.IsZero() {
			s.began = now
		}
		limit = now.Add(s.c.times.line)
		if last := s.began.Add(s.c.times.data); limit.After(last) {
			limit = last
		}
	} else {
		s.began = time.Time{}
		s.idle.Store(true)
		if s.stopped.Err() != nil || s.c.paused.Load() {
			s.conn.Close()
		}
	}
	s.conn.SetReadDeadline(limit)
	s.conn.SetWriteDeadline(now.Add(writeTime))
}

// Reading implements [cip.Session]. It is asked for before a body is read, so
// that this is where anonymous commands wait when there are many.
func (s *session) Reading() cip.Reading {
	s.began = time.Time{}
	s.refused = s.id.anonymous() && !s.c.guard.slow(s.stopped, s.source)
	return cip.Reading{Now: s.c.now(), Zone: s.c.zone(s.id.server), Attendees: s.c.o.MaxAttendees}
}

// Login implements [cip.Session]: a user of ours, or a server that is
// configured. In clear it is refused without looking at the password.
func (s *session) Login(ctx context.Context, name, password string) bool {
	secure := s.id.secure
	s.id = identity{secure: secure}
	if !secure && !s.c.o.PlaintextLogin || s.c.guard.lockedOut(s.source) {
		pause(ctx, failureTime)
		return false
	}
	if p := s.c.peers[strings.ToLower(name)]; p != nil {
		if p.Password != "" && subtle.ConstantTimeCompare([]byte(p.Password), []byte(password)) == 1 {
			s.id.server, s.id.by = p.ServerID, "login"
			return true
		}
	} else if who, err := s.c.o.Accounts.Authenticate(ctx, name, password, s.conn.RemoteAddr().String()); err == nil {
		s.id.user = who
		return true
	}
	s.c.guard.wrong(s.source)
	s.c.log.Info("failed sign-in", "identity", name, "source", s.conn.RemoteAddr())
	pause(ctx, failureTime)
	return false
}

// StartTLS implements [cip.Session]. A certificate of a configured peer says
// who it is.
func (s *session) StartTLS(ctx context.Context) (func() (io.ReadWriter, error), bool) {
	if _, already := s.raw.(*tls.Conn); s.c.o.TLS == nil || already {
		return nil, false
	}
	return func() (io.ReadWriter, error) { return s, s.encrypt(ctx) }, true
}

// encrypt makes the TLS handshake.
func (s *session) encrypt(ctx context.Context) error {
	config := s.c.o.TLS.Clone()
	config.ClientAuth = tls.VerifyClientCertIfGiven
	secured := tls.Server(s.raw, config)
	hands, cancel := context.WithTimeout(ctx, s.c.times.line)
	defer cancel()
	if err := secured.HandshakeContext(hands); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	s.raw, s.id = secured, identity{secure: true}
	for _, chain := range secured.ConnectionState().VerifiedChains {
		for _, name := range chain[0].DNSNames {
			if p := s.c.peers[serverID(name)]; p != nil {
				s.id.server, s.id.by = p.ServerID, "certificate"
			}
		}
	}
	return nil
}

// speaksFor tells whether the session may speak for the users of a server, and
// how that is known. An anonymous one is believed by its network address, or
// by the policy that believes everybody.
func (s *session) speaksFor(ctx context.Context, server string) (by string, ok bool) {
	switch {
	case s.id.server != "":
		return s.id.by, s.id.server == server
	case s.id.user.Account != 0:
		return "", false
	case s.c.o.AllowAnonymous == AnonymousYes:
		return "word", true
	case s.c.o.AllowAnonymous == AnonymousVerify:
		known, asked := s.verified[server]
		if !asked {
			known = s.c.hasAddress(ctx, server, s.conn.RemoteAddr())
			if s.verified == nil || len(s.verified) > 100 {
				s.verified = map[string]bool{}
			}
			s.verified[server] = known
		}
		return "address", known
	}
	return "", false
}

// forwards tells whether an event may come from a server that is not its
// owner's: the last that it came through, for a group, and one whose word about
// others is taken.
func (s *session) forwards(ctx context.Context, trace []string) (by string, ok bool) {
	if len(trace) == 0 {
		return "", false
	}
	last := serverID(trace[len(trace)-1])
	if p := s.c.peers[last]; p == nil || !p.Forwards {
		return "", false
	}
	if _, ok = s.speaksFor(ctx, last); !ok {
		return "", false
	}
	return "group at " + last, true
}

// busy is the answer when there are too many commands.
func busy() cip.Reply {
	return cip.Reply{Code: cip.CodeNone, Text: "Too many commands; try again later."}
}
