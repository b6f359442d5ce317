// Package web is the web application: the pages people sign in to, and the
// JSON interface their browser then talks to. It is a front end: it reads a
// request, calls internal/calendar, and words the answer.
//
// The application itself is TypeScript in ui/src; `go generate` bundles it
// into dist, which is committed and embedded, so that building and running
// need Go alone. It loads nothing from elsewhere, and its pages hold no script
// or style of their own (Content-Security-Policy default-src 'self').
//
// # Pages
//
//	GET  /sign-in   the door: a form that works without JavaScript
//	POST /sign-in   login, password, next → a session cookie and 303, or the form with the reason
//	POST /sign-out  ends the session
//	GET  /, /calendar/…, /invitations, /messages, /sharing, /account, /rooms, /mail   the application
//	GET, POST  /sharing/plain   sharing, public addresses, followed calendars and history without JavaScript
//	GET, POST  /rsvp/{token}?zone   a guest's answer
//	GET  /assets/{file}   built files, named by their content, to be kept for ever
//
// # The JSON interface
//
// Everything below /api/ wants the session cookie; without it the answer is
// 401. Requests that change something and come from another site are refused
// (http.CrossOriginProtection). A refusal is {"condition", "sentence"} with the
// status of the table in problem.go: the condition is the one of
// internal/problem, the sentence is for the person.
//
// Times are clock readings in the zone the request names with ?zone= (an IANA
// name; the account's own, or UTC, without it): "2026-11-20T09:30", or a date
// "2026-11-20" for all-day events, whose end is the day after the last. So the
// browser needs no zone data, and a person sees the same times as the server
// that sends the mails. {owner}, {calendar} and {name} are the URL segments of
// CalDAV.
//
//	GET    me?zone                              who am I; addresses; where CalDAV is
//	PATCH  me?zone                              {displayName, timeZone}
//	GET    counts                               unanswered invitations, held messages
//	GET    zones                                the names of all time zones
//	GET    calendars                            own and shared ones, with what one may do there
//	POST   calendars                            {displayName, color}
//	PATCH  calendars/{owner}/{calendar}         {displayName, color}
//	DELETE calendars/{owner}/{calendar}
//	GET    shares/{owner}/{calendar}            who sees a calendar of one's own, and its public addresses
//	POST   shares/{owner}/{calendar}            {who, access, ask}; DELETE …?who; both answer like GET
//	POST   feeds/{owner}/{calendar}             {detail: full|busy}: a public address; DELETE …?id
//	GET    offered                              calendars one was invited to
//	POST   shared                               {owner, id, accept}: take an offered one, or take one off the list
//	GET    proxies; POST {who, access: act|read}; DELETE ?who&access    who acts in, or reads, all of one's calendars, and which overseers were there
//	GET    followed; POST {url}; POST followed/{id}/refresh    calendars that follow an address on the web
//	GET    history?calendar&uid&deleted&zone    earlier versions, the latest first
//	POST   history                              {object, seq}: make that version the present one
//	GET    occurrences?from&to&zone             what takes place on the days [from, to)
//	GET    events/{owner}/{calendar}/{name}?occurrence&following&zone   one event, one occurrence of it, or that and all later
//	POST   events                               an edit (below) → 201 and its place
//	PUT    events/{owner}/{calendar}/{name}     an edit; If-Match: the etag that was edited
//	DELETE events/{owner}/{calendar}/{name}?occurrence&following     If-Match likewise
//	POST   events/{owner}/{calendar}/{name}/attachments?filename   a file, in the body as it is; DELETE …?managed; both with If-Match
//	POST   preview                              {place, edit, occurrence, following} → what would be sent to whom; without edit: by deleting
//	GET    directory?q                          people, rooms and resources by the beginnings of their names
//	POST   freebusy                             {addresses, from, to, zone, uid} → busy periods; uid does not count
//	GET    invitations?zone                     what waits for one's answer
//	POST   respond                              {owner, uid, occurrence, partstat, comment}
//	POST   propose?zone                         {owner, uid, occurrence, start, end, location, comment} → what was sent
//	POST   refresh                              {owner, uid, occurrence}: ask the organizer for the present state
//	POST   publish, forward                     {owner, uid, to: [addresses]}
//	POST   delegate                             {owner, uid, occurrence, to, keepInformed}
//	GET    undo?owner&uid                       {seconds}: how long the latest change can be taken back; 0 = not
//	POST   undo                                 {owner, uid} → {sentence, withdrawn}
//	GET    preferences; PUT {undoSeconds, tellBusy, newSeries, delegation, deleteCancelled}
//	POST   designates {address, for}; DELETE designates?address&for
//	GET    rooms; PUT rooms/{name}              rooms and resources, and their booking policies
//	GET    rules?site; PUT {subject, do, minimum, signed, unknown}; DELETE ?subject    whose messages count, for oneself or the site
//	GET    floods; POST {kind, subject, release}    outbreaks of mail, for administrators
//	GET    keys?site; POST {kind: rsa|ec|pgp}; POST keys/import {data, password, own}    one's keys and certificates; the site's for administrators
//	POST   keys/{fingerprint}/revoke; DELETE keys/{fingerprint}; GET keys/{fingerprint}/export
//	GET    groups; POST {address, displayName}; POST, DELETE groups/{name}/members {who: [addresses]}   groups: all for administrators, one's own for others
//	GET    messages?show&before&zone            the scheduling journal, newest first
//	POST   messages/{id}/approve|reject|retry   approve?always: the same for further messages of this sender; reject?never: no more of them
//	POST   password                             {current, password}
//	GET    app-passwords; POST {label}; DELETE app-passwords/{id}
//	GET    changes                              server-sent events: "change" after each change of one's data
//
// An edit is {calendar: {owner, name}, occurrence, following, event: {summary, location,
// description, url, allDay, start, end, zone, rrule, status, busy, hideGuests, attendees, alarms}}.
// It is applied to the stored object property by property: what the form does
// not know (further properties and parameters, alarms, other overrides) stays
// as it was. occurrence is the recurrence id the occurrence list gave; empty
// means the whole series; with following it means that occurrence and all
// later ones, which become an event of their own. start and end of an edit are clock readings in the
// event's own zone; an empty zone is floating time.
package web
