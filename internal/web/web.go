package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Options of the web application. Calendar, Accounts and Journal are required.
type Options struct {
	Calendar *calendar.Service
	Accounts *account.Service
	ACL      *acl.ACL
	Journal  *journal.Journal
	Keys     *keyring.Keyring // nil = no page of keys
	Gate     *gate.Gate       // nil = no rules about senders
	// SettleFlood lets in (release) or refuses all that an outbreak of mail held,
	// and says how many messages that were; nil = nobody looks after floods.
	SettleFlood func(ctx context.Context, by account.Actor, kind, subject string, release bool) (int, error)
	Log         *slog.Logger
	PublicURL   string // as people reach us, "https://cal.example.org"; empty: as the request says
	Now         func() time.Time
	// Invitation finds the message whose recipient was given the token of a page
	// to answer on, and until when it can be used (zero: not known);
	// problem.NotFound where there is none. nil = no such pages.
	Invitation func(ctx context.Context, token string) (store.Entry, time.Time, error)
	Done       <-chan struct{} // closed when the server drains: event streams end then
}

// app serves the web application. It keeps nothing between requests.
type app struct {
	o      Options
	log    *slog.Logger
	assets *assets
	now    func() time.Time
}

// New serves the web application below /. It panics when the embedded assets
// are not complete, which is a fault of the build and not of the caller.
func New(o Options) http.Handler {
	built, err := loadAssets()
	if err != nil {
		panic(err)
	}
	a := &app{o: o, log: o.Log, assets: built, now: o.Now}
	if a.log == nil {
		a.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if a.now == nil {
		a.now = time.Now
	}
	return secure(http.NewCrossOriginProtection().Handler(a.routes()))
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{file}", a.assets)
	mux.HandleFunc("GET /sign-in", a.signInPage)
	mux.HandleFunc("POST /sign-in", a.signIn)
	mux.HandleFunc("POST /sign-out", a.signOut)
	mux.HandleFunc("GET /sharing/plain", a.sharingPage)
	mux.HandleFunc("POST /sharing/plain", a.postSharing)
	mux.HandleFunc("GET /rsvp/{token}", a.guestPage)
	mux.HandleFunc("POST /rsvp/{token}", a.guestAnswer)
	mux.HandleFunc("GET /rsvp/{token}/event.ics", a.guestFile)
	for _, page := range []string{"/{$}", "/calendar", "/calendar/", "/invitations", "/messages", "/account", "/rooms", "/sharing", "/mail"} {
		mux.HandleFunc("GET "+page, a.application)
	}
	api := map[string]func(*request) (any, error){
		"GET me":                                  a.getMe,
		"PATCH me":                                a.patchMe,
		"GET counts":                              a.getCounts,
		"GET zones":                               a.getZones,
		"GET calendars":                           a.getCalendars,
		"POST calendars":                          a.postCalendar,
		"PATCH calendars/{owner}/{calendar}":      a.patchCalendar,
		"DELETE calendars/{owner}/{calendar}":     a.deleteCalendar,
		"GET shares/{owner}/{calendar}":           a.getShares,
		"POST shares/{owner}/{calendar}":          a.postShare,
		"DELETE shares/{owner}/{calendar}":        a.deleteShare,
		"POST feeds/{owner}/{calendar}":           a.postFeed,
		"DELETE feeds/{owner}/{calendar}":         a.deleteFeed,
		"GET offered":                             a.getOffered,
		"POST shared":                             a.postShared,
		"GET proxies":                             a.getProxies,
		"POST proxies":                            a.postProxy,
		"DELETE proxies":                          a.deleteProxy,
		"GET followed":                            a.getFollowed,
		"POST followed":                           a.postFollowed,
		"POST followed/{id}/refresh":              a.refreshFollowed,
		"GET history":                             a.getHistory,
		"POST history":                            a.postRestore,
		"GET occurrences":                         a.getOccurrences,
		"GET events/{owner}/{calendar}/{name}":    a.getEvent,
		"POST events":                             a.postEvent,
		"PUT events/{owner}/{calendar}/{name}":    a.putEvent,
		"DELETE events/{owner}/{calendar}/{name}": a.deleteEvent,
		"POST events/{owner}/{calendar}/{name}/attachments":   a.postAttachment,
		"DELETE events/{owner}/{calendar}/{name}/attachments": a.deleteAttachment,
		"POST preview":                   a.postPreview,
		"GET directory":                  a.getDirectory,
		"POST freebusy":                  a.postFreeBusy,
		"GET invitations":                a.getInvitations,
		"POST respond":                   a.postRespond,
		"POST propose":                   a.postPropose,
		"POST refresh":                   a.postRefresh,
		"POST publish":                   a.postPublish,
		"POST forward":                   a.postForward,
		"POST delegate":                  a.postDelegate,
		"GET undo":                       a.getUndo,
		"POST undo":                      a.postUndo,
		"GET preferences":                a.getPreferences,
		"PUT preferences":                a.putPreferences,
		"POST designates":                a.postDesignate,
		"DELETE designates":              a.deleteDesignate,
		"GET rooms":                      a.getRooms,
		"PUT rooms/{room}":               a.putRoom,
		"GET rules":                      a.getRules,
		"PUT rules":                      a.putRule,
		"DELETE rules":                   a.deleteRule,
		"GET floods":                     a.getFloods,
		"POST floods":                    a.postFlood,
		"GET keys":                       a.getKeys,
		"POST keys":                      a.postKey,
		"POST keys/import":               a.importKey,
		"POST keys/{fingerprint}/revoke": a.revokeKey,
		"DELETE keys/{fingerprint}":      a.deleteKey,
		"GET groups":                     a.getGroups,
		"POST groups":                    a.postGroup,
		"POST groups/{group}/members":    a.changeMembers,
		"DELETE groups/{group}/members":  a.changeMembers,
		"GET messages":                   a.getMessages,
		"POST messages/{id}/approve":     a.approveMessage,
		"POST messages/{id}/reject":      a.rejectMessage,
		"POST messages/{id}/retry":       a.retryMessage,
		"POST password":                  a.postPassword,
		"GET app-passwords":              a.getAppPasswords,
		"POST app-passwords":             a.postAppPassword,
		"DELETE app-passwords/{id}":      a.deleteAppPassword,
	}
	for pattern, handle := range api {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/"+path, a.api(handle))
	}
	mux.HandleFunc("GET /api/changes", a.changes)
	mux.HandleFunc("GET /api/keys/{fingerprint}/export", a.exportKey)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, r, problem.New(problem.NotFound, "There is nothing at %s.", r.URL.Path))
	})
	return mux
}

// request is a request of a signed-in browser.
type request struct {
	*http.Request
	w   http.ResponseWriter
	who account.Actor
}

func (r *request) ctx() context.Context { return r.Context() }

// read reads the JSON body.
func (r *request) read(into any) error { return readJSON(r.w, r.Request, into) }

// created is an answer with 201.
type created struct{ value any }

// api answers a request of the JSON interface: who is it, do it, word it.
func (a *app) api(handle func(*request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := a.session(r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		value, err := handle(&request{Request: r, w: w, who: who})
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		status := http.StatusOK
		if c, ok := value.(created); ok {
			status, value = http.StatusCreated, c.value
		}
		writeJSON(w, status, value)
	}
}

// https reports whether the browser spoke TLS, to us or to the proxy before
// us; the server takes X-Forwarded-Proto off requests that come from elsewhere.
func (a *app) https(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(a.o.PublicURL, "https://") || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// base is the address people reach us at, without a slash at its end.
func (a *app) base(r *http.Request) string {
	if a.o.PublicURL != "" {
		return strings.TrimSuffix(a.o.PublicURL, "/")
	}
	scheme := "http"
	if a.https(r) {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s", scheme, r.Host)
}
