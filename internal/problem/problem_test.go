package problem_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/convene-cal/convene/internal/problem"
)

func TestProblemSurvivesWrapping(t *testing.T) {
	base := problem.New(problem.UIDConflict, "This event is already in your calendar %s.", "Work").At("work/a.ics").Because(io.ErrUnexpectedEOF)
	err := fmt.Errorf("store object a.ics: %w", base)

	got := problem.Of(err)
	if got.Condition != problem.UIDConflict || got.Where != "work/a.ics" || got.Sentence != "This event is already in your calendar Work." {
		t.Errorf("Of(%v) = %+v", err, got)
	}
	if !problem.Has(err, problem.UIDConflict) || problem.Has(err, problem.NotFound) {
		t.Error("Has does not tell conditions apart")
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if !errors.Is(err, problem.New(problem.UIDConflict, "")) {
		t.Error("errors.Is does not match by condition")
	}
}

func TestForeignErrorIsInternalAndSilent(t *testing.T) {
	got := problem.Of(errors.New("pq: password=secret"))
	if got.Condition != problem.Internal || got.Error() == "pq: password=secret" {
		t.Errorf("a foreign error shows as %q with condition %q", got.Error(), got.Condition)
	}
}
