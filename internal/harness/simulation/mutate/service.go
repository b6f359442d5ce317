package main

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Beside the engine there are the services around it: who may do what, what is
// kept in the same transaction, what is sent once. Their own tests find what is
// broken there. likely are the tests to ask first; when they find nothing all of
// the package are asked.
type fault struct {
	name, file string
	old, new   string
	likely     string
}

var faults = []fault{
	{"who may only read may write", "internal/calendar/put.go", "s.collection(tx, req.By, req.Owner, req.Collection, acl.Write)", "s.collection(tx, req.By, req.Owner, req.Collection, acl.Read)", "TestRights"},
	{"one event lies in two calendars of a home", "internal/calendar/change.go", "s.uniqueInHome(tx, ch, p.out.Scheduling, others)", "s.uniqueInHome(tx, ch, false, others)", "TestUIDRules"},
	{"a change is sent to any number of people", "internal/calendar/change.go", "if external > s.limits.ExternalAttendees {", "if external > 1<<40 {", "TestAChangeForTooManyOutsideIsRefused"},
	{"an old schedule tag matches", "internal/calendar/precondition.go", " || o.ScheduleTag != p.IfScheduleTagMatch {", " || p.IfScheduleTagMatch == \"\" {", "TestScheduleTagMergesAnswersTheClientDidNotSee|TestPreconditions"},
	{"a message that comes twice is applied twice", "internal/calendar/receive_known.go", "	if a.Approved {\n		return nil, nil // its owner", "	if a.To != 0 {\n		return nil, nil // its owner", "TestCrashBetweenCommitAndDelivery"},
	{"our own mail comes back and counts", "internal/calendar/receive_known.go", "return ok && stored.Scheduling && owner.ID != a.To", "return !ok && owner.ID == a.To", "TestOurOwnMailThatCameBackIsIgnored"},
	{"mail in a colleague's name is believed", "internal/calendar/receive.go", "		if !ok || owner.ID == a.To {\n			continue", "		if ok || owner.ID == a.To {\n			continue", "TestMailInTheNameOfAColleagueIsHeld"},
	{"an undone change rolls back what others know", "internal/calendar/undo.go", "if !o.known && c.untouched {", "if c.untouched {", "TestUndoAmongColleagues"},
	{"a change taken back by an edit is sent", "internal/calendar/undo_edit.go", "	if s.undoWindow(owner) == 0 {", "	if s.undoWindow(owner) >= 0 {", "TestAMoveTakenBackByAnEditIsNotTold"},
	{"what colleagues took back is told outside", "internal/calendar/undo_edit.go", "		if !ok {\n			continue", "		if ok {\n			continue", "TestAMoveTakenBackAmongColleagues"},
	{"anybody decides about a room", "internal/calendar/approval.go", "if by.Admin || by.Account == room.ID {", "if by.Account != 0 {", "TestAFormerApproverDecidesNothing"},
	{"a room forgets what it has agreed to", "internal/calendar/room.go", "	if len(wanted) == 0 {\n		return nil, nil\n	}\n	from, to :=", "	if len(wanted) >= 0 {\n		return nil, nil\n	}\n	from, to :=", "TestARoomIsNotBookedTwice"},
	{"everybody is told when somebody is busy", "internal/calendar/preferences.go", "		if who == \"*\" || strings.HasPrefix(who, \"@\") && strings.EqualFold(who[1:]", "		if who != \"\" || strings.HasPrefix(who, \"@\") && strings.EqualFold(who[1:]", "TestFreeBusyByMessage"},
	{"a room refuses without saying why", "internal/calendar/change.go", "	if ch.status != \"\" {", "	if ch.status == \"-\" {", "TestStrangersGetNoAnswerFromARoomByItself"},
	{"a held message waits for ever", "internal/calendar/receive_known.go", " || s.now().Sub(r.Created) > heldFor {", " {", "TestACancellationWaitsTwoWeeks"},

	{"any sender speaks for the organizer", "internal/trust/judge.go", "	if !q.speaks(acting) && (", "	if q.Method == \"\" && (", "TestJudge"},
	{"what is not proven is applied", "internal/trust/judge.go", "	if v.Level >= need {", "	if v.Level >= 0 {", "TestJudge"},
	{"a secretary needs no consent", "internal/trust/judge.go", "if q.Consent == nil || !q.Consent(acting[0], sentBy) {", "if q.Consent != nil && !q.Consent(acting[0], acting[0]) {", "TestJudge"},
	{"a reply address proves any message", "internal/trust/judge.go", "	if q.Evidence.Token && (q.Method == itip.Reply || q.Method == itip.Counter) {\n		need", "	if q.Evidence.Token {\n		need", "TestJudge"},
	{"another organizer needs no more proof", "internal/trust/judge.go", "		need = T3 // a new", "		need = max(need, T1) // a new", "TestJudge"},
	{"a refused domain is heard", "internal/trust/judge.go", "	if q.Policy.Denies(from) {", "	if q.Policy.Denies(\"-\") {", "TestJudge"},

	{"an invitation that may have arrived is forgotten", "internal/journal/add.go", "tried := len(old.Attempts) > 0", "tried := len(old.Attempts) > 1<<30", "TestAChangeTakenBackSendsNothing"},
	{"what is under way is replaced", "internal/journal/add.go", "if w.LeaseUntil.After(now) || taken", "if taken", "TestTwoCouriersSendEachMessageOnce"},
	{"a later message overtakes an earlier", "internal/journal/add.go", "w.Direction != Out || w.State != Due {", "w.Direction != Out || w.State == Due {", "TestLaterMessageWaitsForTheEarlier|TestUnsentMessagesAreCoalesced"},
	{"temporary failures are retried for ever", "internal/journal/courier.go", "if now.Sub(since(row)) >= j.patience(transport).GiveUp {", "if now.Before(since(row)) {", "TestTemporaryFailuresAreRetriedUntilPatienceEnds"},
	{"nobody to pass to is no failure", "internal/journal/courier.go", "	if o.State == Pass && next == \"\" {", "	if o.State == Pass && next == \"-\" {", "TestNobodyToPassTo"},
	{"a courier of a crashed process keeps its rows", "internal/journal/courier.go", "e.LeaseOwner != j.o.Node {", "e.LeaseOwner != \"-\" {", "TestANamedCourierTakesBackWhatItHeld"},
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// try breaks a service and says which test finds it.
func (f fault) try() error {
	overlay, drop, err := broken(f.file, f.old, f.new)
	if err != nil {
		return err
	}
	defer drop()
	pkg := "./" + f.file[:strings.LastIndex(f.file, "/")]
	began := time.Now()
	for _, tests := range []string{f.likely, "."} {
		out, err := exec.Command("go", "test", "-overlay", overlay, "-failfast", "-run", tests, pkg).CombinedOutput()
		var exit *exec.ExitError
		switch found := failed.FindAllSubmatch(out, -1); {
		case err == nil:
		case len(found) > 0:
			fmt.Printf("| %s | %s | %s | %.0f |\n", f.name, f.file, found[0][1], time.Since(began).Seconds())
			return nil
		case errors.As(err, &exit) && strings.Contains(string(out), "panic: "):
			fmt.Printf("| %s | %s | a crash of %s | %.0f |\n", f.name, f.file, f.likely, time.Since(began).Seconds())
			return nil
		default:
			return fmt.Errorf("it does not compile: %.2000s", out)
		}
	}
	return errors.New("no test finds it")
}
