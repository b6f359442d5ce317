package web

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
)

// cookieName of the session. Browsers do not tell ports apart, so two servers
// on one host need two names; __Host- keeps other hosts of the domain out.
func (a *app) cookieName(r *http.Request) string {
	if a.https(r) {
		return "__Host-convene"
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return "convene-" + port
	}
	return "convene"
}

func (a *app) setCookie(w http.ResponseWriter, r *http.Request, secret string, expires time.Time) {
	c := &http.Cookie{
		Name: a.cookieName(r), Value: secret, Path: "/", Expires: expires,
		HttpOnly: true, Secure: a.https(r), SameSite: http.SameSiteLaxMode,
	}
	if secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// session tells who sends a request.
func (a *app) session(r *http.Request) (account.Actor, error) {
	c, err := r.Cookie(a.cookieName(r))
	if err != nil || c.Value == "" {
		return account.Actor{}, problem.New(problem.Unauthenticated, "You are signed out. Sign in again.")
	}
	return a.o.Accounts.Session(r.Context(), c.Value)
}

// application serves the page that the browser's part of the application
// fills, to people who are signed in.
func (a *app) application(w http.ResponseWriter, r *http.Request) {
	_, err := a.session(r)
	switch {
	case problem.Has(err, problem.Unauthenticated):
		to := "/sign-in"
		if r.URL.Path != "/" {
			to += "?next=" + r.URL.EscapedPath()
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, to, http.StatusSeeOther)
	case err != nil:
		a.refuse(w, r, err)
	default:
		a.writePage(w, http.StatusOK, "application", page{Title: "Convene"})
	}
}

func (a *app) signInPage(w http.ResponseWriter, r *http.Request) {
	next := within(r.URL.Query().Get("next"))
	if _, err := a.session(r); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	a.writePage(w, http.StatusOK, "sign-in", page{Title: "Sign in – Convene", Next: next})
}

// within is a path of this application to go on to; anything else is "/", so
// that the door leads nowhere else.
func within(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(next, "/sign-") {
		return "/"
	}
	return next
}

// maxForm of the sign-in form, in octets.
const maxForm = 16 << 10

func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		a.writePage(w, http.StatusBadRequest, "sign-in", page{Title: "Sign in – Convene", Failure: "The form could not be read. Please try again.", Next: "/"})
		return
	}
	p := page{Title: "Sign in – Convene", Login: r.PostForm.Get("login"), Next: within(r.PostForm.Get("next"))}
	who, err := a.o.Accounts.Authenticate(r.Context(), p.Login, r.PostForm.Get("password"), r.RemoteAddr)
	if err == nil && who.Via == account.ViaAppPassword {
		// An app password is one program's; it must not open the account itself.
		err = problem.New(problem.Unauthenticated, "That is an app password, which is for calendar programs. Sign in here with your own password.")
	}
	if err == nil {
		err = a.startSession(r.Context(), w, r, who)
	}
	if err != nil {
		failure := problem.Of(err)
		status, ok := statuses[failure.Condition]
		if !ok {
			status = http.StatusForbidden
		}
		if status >= 500 {
			a.log.Error("sign-in failed", "error", err)
		}
		var wait account.RetryAfter
		if errors.As(err, &wait) {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(time.Duration(wait).Seconds()))))
		}
		p.Failure = failure.Sentence
		a.writePage(w, status, "sign-in", p)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, p.Next, http.StatusSeeOther)
}

func (a *app) startSession(ctx context.Context, w http.ResponseWriter, r *http.Request, who account.Actor) error {
	secret, expires, err := a.o.Accounts.NewSession(ctx, who, r.UserAgent())
	if err != nil {
		return err
	}
	a.setCookie(w, r, secret, expires)
	return nil
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(a.cookieName(r)); err == nil && c.Value != "" {
		if err := a.o.Accounts.EndSession(r.Context(), c.Value); err != nil && problem.Of(err).Condition == problem.Internal {
			a.log.Error("sign-out failed", "error", err)
		}
	}
	a.setCookie(w, r, "", time.Unix(0, 0))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}
