package conformance

import "strings"

var pushRows = []row{
	{"O1", O, "webdav-push: transports, topic, supported-triggers", "draft-bitfire-webdav-push", yes, "where `[push] enabled` says so; on calendars, inbox and one's own home", tested("internal/davserver TestPushProperties")},
	{"O2", O, "push-register by POST: 201 or 204 with Location and Expires; DELETE ends it", "draft-bitfire-webdav-push", yes, "for two weeks at most", tested("internal/davserver TestPushSubscriptions")},
	{"O3", O, "content-update with sync-token, property-update, Push-Dont-Notify", "draft-bitfire-webdav-push", yes, "property-update of calendars", tested("internal/davserver TestPushMessages", "internal/push TestMessages", "e2e TestPush")},
	{"O4", O, "Web Push: aes128gcm, VAPID; 404 and 410 end a subscription; a limited rate", "RFC 8030, RFC 8291, RFC 8292", yes, "what changes within 15 seconds is one message", tested("internal/push TestEncryption", "internal/push TestExampleOfTheStandard", "internal/push TestWhoSends", "internal/push TestGone")},
	{"O5", M, "push goes to public https addresses alone", "security", yes, "unless `[push] allow-private` says otherwise", tested("internal/push TestPrivateNetworks")},
}

// manyHrefs is a multiget of more hrefs than any calendar has.
var manyHrefs = `<C:calendar-multiget><prop><getetag/></prop>` + strings.Repeat("<href>x</href>", 100_001) + `</C:calendar-multiget>`

var operationRows = []row{
	{"P1", M, "limits: size of bodies, depth of XML, hrefs of a multiget, expansion", "choice", yes, "10 MB, 32 levels, 100,000 hrefs, 10,000 instances", try(
		do("PROPFIND", "{def}").depth("0").xml(deep).want(413),
		report("{def}", manyHrefs).want(507).all("<d:number-of-matches-within-limits/>"),
		do("PROPFIND", "{def}").depth("0").xml(`<propfind xmlns="DAV:"><prop>`+strings.Repeat(`<x xmlns="u:x"/>`, 10_000)+`</prop></propfind>`).want(413),
	).and("internal/davserver TestHostileBodies", "e2e TestBodiesOf100MB", "e2e TestRawRequests")},
	{"P2", M, "recurrence bombs are bounded", "choice", yes, "", try(
		do("PUT", "{cal}1.ics").ics(event("{id}-1", "DTSTART:20310401T000000Z\nRRULE:FREQ=SECONDLY\nSUMMARY:x")).want(201, 403),
		do("PUT", "{cal}2.ics").ics(event("{id}-2", "DTSTART:20310401T000000Z\nRRULE:FREQ=DAILY;COUNT=1000000000\nSUMMARY:x")).want(201, 403),
		do("PUT", "{cal}3.ics").ics(event("{id}-3", "DTSTART:20310401T000000Z\n"+strings.Repeat("RRULE:FREQ=MINUTELY\n", 1000)+"SUMMARY:x")).want(201, 403),
		query("{cal}", within("20310401T000000Z", "20310402T000000Z")).want(207),
		queryData("{cal}", `<C:calendar-data><C:expand start="20310401T000000Z" end="20410401T000000Z"/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").want(207, 403, 507),
	)},
	{"P3", M, "long answers stream", "choice", yes, "half a megabyte in memory for each; slow and half-open clients take nothing from others", tested("internal/davserver TestLongAnswersStream", "internal/davserver TestFlightIsFair", "internal/davserver TestClientsThatDoNotReadAreLeft", "internal/server TestHalfOpenConnectionsEnd", "internal/server TestConnectionsAreRationed", "e2e TestHalfOpenConnections")},
	{"P4", M, "answers are well-formed whatever is stored", "RFC 4918", yes, "", try(
		do("PUT", "{cal}1.ics").ics(event("{id}", "DTSTART:20310401T000000Z\nSUMMARY:a\x01b\x0bc ]]> <&>")).want(201, 403),
		query("{cal}", "").want(207), multiget("{cal}", "{cal}1.ics").want(207),
	)},
	{"P5", M, "of many who write at once one wins", "RFC 9110 13", yes, "", tested("internal/davserver TestOneOfManyWins")},
	{"P6", M, "nothing acknowledged is lost by kill -9", "choice", yes, "", tested("e2e TestKilledUnderLoad")},
	{"P7", M, "failed sign-ins are slowed, and tell no names", "choice", yes, "", tested("internal/account TestFailedSignInsAreSlowed")},
	{"P8", M, "writes sent by a page of another site are refused", "choice", yes, "", try(
		do("PUT", "{cal}1.ics").ics(event("{id}", once)).with("Sec-Fetch-Site", "cross-site").want(403), do("PUT", "{cal}1.ics").ics(event("{id}", once)).with("Origin", "https://evil.test").want(403),
		do("OPTIONS", "{cal}").with("Origin", "https://evil.test").with("Access-Control-Request-Method", "PUT").as("").want(200).header("Access-Control-Allow-Origin", ""),
	)},
	{"P9", M, "what users store is never a page of ours", "choice", yes, "", try(
		put("{cal}1.ics", event("{id}", once)), get("{cal}1.ics").header("X-Content-Type-Options", "nosniff").header("Content-Security-Policy", "*"),
	)},
	{"P10", M, "a log of who shared what", "choice", yes, "a line `sharing` for each change", tested("internal/davserver TestSharingIsLogged")},
	{"P11", M, "TLS, and proxies' headers only from proxies that are named", "RFC 7239", yes, "own certificate or a proxy in front; see [operating.md](operating.md)", tested("internal/server TestForwardedHeadersOnlyFromTrustedProxies")},
	{"P12", M, "no secrets in the log, no personal data in refusals", "choice", yes, "", tested("internal/davserver TestNoSecretsInLog")},
	{"P13", S, "figures, health, an end that finishes requests", "choice", yes, "", tested("internal/server TestMetricsPage", "e2e TestKilledUnderLoad")},
	{"P14", M, "whole accounts out and in", "choice", yes, "`convene export` and `convene import`", tested("e2e TestImportExportBackup")},
	{"P15", S, "backup while it runs", "choice", yes, "", tested("internal/store TestBackupOfOneEngineIsRestoredOnTheOther")},
}

var clientRows = []row{
	{"Q1", M, "Apple Calendar: setting up, home with thirty properties, MKCALENDAR with colour, default calendar", "clients", yes, "reconstructed; and delegation, notifications, sharing and answers", tested("internal/davserver TestAppleCalendarSequence", "internal/davserver TestAppleCalendarWithPeople")},
	{"Q2", M, "iOS reminders: calendars of tasks, X-APPLE-PROXIMITY, If-Match", "clients", yes, "reconstructed", tested("internal/davserver TestAppleCalendarSequence")},
	{"Q3", M, "Thunderbird: sync, multiget, free/busy, a calendar's address given directly", "clients", yes, "reconstructed", tested("internal/davserver TestThunderbirdSequence", "internal/davserver TestThunderbirdWithPeople")},
	{"Q4", M, "DAVx5: well-known, homes, sync with limits, multiget, push", "clients", yes, "reconstructed", tested("internal/davserver TestDAVx5Sequence", "internal/davserver TestDAVx5WithTasksAndPeople")},
	{"Q5", M, "Evolution: ctag, entity tags, queries by time", "clients", yes, "", tested("internal/davserver TestEvolutionSequence")},
	{"Q6", M, "KDE: a query for each kind of component", "clients", yes, "reconstructed", tested("internal/davserver TestOtherClients")},
	{"Q7", S, "Outlook CalDav Synchronizer: Windows zones, braces in UIDs", "clients", yes, "reconstructed", tested("internal/davserver TestOtherClients", "internal/davserver TestOutlookSynchronizerSequence")},
	{"Q8", S, "vdirsyncer, khal: multiget of absolute URLs, odd names", "clients", yes, "the programs themselves, and what vdirsyncer promises of a storage, through its own", tested("internal/davserver TestOtherClients", "e2e TestVdirsyncerAndKhal", "e2e TestVdirsyncerStorage")},
	{"Q9", S, "invitations of Google and Exchange by mail", "clients", yes, "", tested("imip TestCorpusMails")},
	{"Q10", S, "the suite of CalConnect", "clients", part, "it needs Python 2 and is not run; its topics are rows of this page", proof{}},
	{"Q11", S, "litmus", "clients", yes, "basic, copymove, props, locks and http, 104 tests, all pass on a home; on a calendar it cannot begin, for it makes a plain collection there, and a calendar holds events alone", tested("e2e TestLitmus")},
	{"Q12", M, "unknown properties of Apple can be set", "clients", yes, "", try(
		patch("{cal}", `<A:language-code>de</A:language-code><S:subscribed-strip-alarms/><x:y xmlns:x="http://me.com/_namespace/">1</x:y>`).all("200 OK").none("403"),
	)},
	{"Q13", M, "prefixes that old clients read, the same hrefs in every answer", "clients", yes, "d, c, cs, ical", try(
		find("{def}", "0", "displayname").all(`<?xml version="1.0" encoding="utf-8"?>`, `<d:multistatus xmlns:d="DAV:"`),
	)},
	{"Q14", M, "Depth: 1,noroot; no XML declaration; text/xml and application/xml", "clients", yes, "", try(
		find("{home}", "1,noroot", "displayname").none("<d:href>{home}</d:href>"),
		do("PROPFIND", "{def}").depth("0").send("text/xml", `<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>`).want(207),
		do("PROPFIND", "{def}").depth("0").send("", `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>`).want(207),
		do("PROPFIND", "{def}").depth("0").send("text/xml", "\xef\xbb\xbf"+`<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>`).want(207),
	)},
	{"Q15", S, "Content-Type: text/calendar; component=vevent", "clients", yes, "", try(
		do("PUT", "{cal}1.ics").send("text/calendar; component=vevent; charset=utf-8", event("{id}", once)).want(201),
	)},
}
