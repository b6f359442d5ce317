package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/mailbox"
)

// drainTime is how long requests under way may take after the end was asked for.
const drainTime = 10 * time.Second

// Server is a running service: the listeners over a set of services.
type Server struct {
	*Services
	listeners []listener
	mailboxes []mailbox.Box
	done      chan struct{} // closed when Run drains
}

// listener is one socket and what serves it until its context ends.
type listener struct {
	name  string
	l     net.Listener
	serve func(ctx context.Context, l net.Listener) error
}

// New opens the store, wires the services and binds every configured address,
// so that what cannot work is known before anything is served.
func New(ctx context.Context, cfg config.Config, log *slog.Logger) (*Server, error) {
	services, err := open(ctx, cfg, log, true)
	if err != nil {
		return nil, err
	}
	s := &Server{Services: services, done: make(chan struct{})}
	if s.mailboxes, err = mailboxes(cfg.Mail.IMAP); err != nil {
		return nil, errors.Join(err, services.Close())
	}
	services.tellOverseers(ctx)
	if err := s.listen(); err != nil {
		s.closeListeners()
		return nil, errors.Join(err, services.Close())
	}
	return s, nil
}

func (s *Server) listen() error {
	cfg := s.Config
	web := func(h http.Handler) func(context.Context, net.Listener) error {
		return func(ctx context.Context, l net.Listener) error {
			server := newHTTPServer(h, parseProxies(cfg.HTTP.TrustedProxies), s.log, defaultPatience)
			server.Handler = forThisMachine(s.metrics, server.Handler)
			return serveHTTP(ctx, server, l)
		}
	}
	for _, want := range []struct {
		name, address string
		serve         func(context.Context, net.Listener) error
	}{
		{"http", cfg.HTTP.Listen, web(s.handler(s.done))},
		{"lmtp", cfg.Mail.LMTPListen, s.Mail.ServeLMTP},
		{"smtp", cfg.Mail.SMTPListen, s.Mail.ServeSMTP},
		{"cip", cfg.CIP.Listen, s.CIP.Serve},
		{"cip-tls", cfg.CIP.TLSListen, s.CIP.ServeTLS},
		{"admin", cfg.Admin.Listen, func(ctx context.Context, l net.Listener) error {
			return serveHTTP(ctx, newHTTPServer(s.admin(), nil, s.log, defaultPatience), l)
		}},
	} {
		if want.address == "" {
			continue
		}
		l, err := listen(want.address)
		if err != nil {
			return fmt.Errorf("%s listener: %w", want.name, err)
		}
		if want.name == "http" {
			l = &rationed{Listener: l, each: cfg.HTTP.ConnectionsPerAddress, exempt: parseProxies(cfg.HTTP.TrustedProxies), log: s.log}
		}
		if want.name == "http" && cfg.HTTP.TLS == "files" {
			pair, err := tls.LoadX509KeyPair(cfg.HTTP.Cert, cfg.HTTP.Key)
			if err != nil {
				return fmt.Errorf("http.cert and http.key: %w", errors.Join(err, l.Close()))
			}
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
		}
		s.listeners = append(s.listeners, listener{want.name, l, want.serve})
	}
	if cfg.CAP.Listen != "" {
		s.log.Warn("this version has no such listener; the setting is ignored", "setting", "cap.listen", "value", cfg.CAP.Listen)
	}
	return nil
}

// listen binds host:port or unix:PATH.
func listen(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			os.Remove(path) // left by a process that was killed
		}
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

func (s *Server) closeListeners() {
	for _, l := range s.listeners {
		l.l.Close()
	}
}

// Addr is where the named listener (http, lmtp, smtp, cip, cip-tls, admin) is bound, nil
// when it is off.
func (s *Server) Addr(name string) net.Addr {
	for _, l := range s.listeners {
		if l.name == name {
			return l.l.Addr()
		}
	}
	return nil
}

// Run serves until ctx ends, then drains for up to [drainTime] and closes the
// store. A listener or the courier that fails ends the whole.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// What a crash left between "accepted" and "processed" comes first.
	if err := s.Mail.Resume(ctx); err != nil {
		s.closeListeners()
		return errors.Join(err, s.Services.Close())
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	part := func(name string, run func() error) {
		wg.Go(func() {
			err := run()
			if err != nil && ctx.Err() == nil {
				mu.Lock()
				first = errors.Join(first, fmt.Errorf("%s: %w", name, err))
				mu.Unlock()
			}
			cancel()
		})
	}
	told := []any{}
	for _, l := range s.listeners {
		told = append(told, l.name, l.l.Addr().String())
		part(l.name, func() error { return l.serve(ctx, l.l) })
	}
	for _, box := range s.mailboxes {
		part("mailbox", func() error { s.watchMailbox(ctx, box); return nil })
	}
	part("housekeeping", func() error { return s.keepHouse(ctx) })
	part("subscriptions", func() error { return s.Fetcher.Run(ctx) })
	if s.Push != nil {
		part("push", func() error { return s.Push.Run(ctx) })
	}
	part("courier", func() error { return s.Journal.Run(ctx) })
	s.log.Info("ready", told...)
	<-ctx.Done()
	close(s.done)
	wg.Wait()
	return errors.Join(first, s.Services.Close())
}

// serveHTTP serves until ctx ends and lets requests under way finish.
func serveHTTP(ctx context.Context, srv *http.Server, l net.Listener) error {
	srv.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := srv.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close() // watchers hold their connections for ever
	}
	<-done
	return err
}

// admin is the admin listener, with metrics and profiles: for operators, never
// for users.
func (s *Services) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", s.metrics)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
