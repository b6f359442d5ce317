package store

import (
	"os"
	"slices"
	"testing"
)

// TestMigrationNumbers: both engines have the same migrations, and no new one
// comes before those that stores have already, which would refuse to go on.
// Number 10 was never used.
func TestMigrationNumbers(t *testing.T) {
	numbers := func(dir string) (list []string) {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			list = append(list, f.Name()[:5])
		}
		return list
	}
	lite, pg := numbers("migrations/sqlite"), numbers("migrations/postgres")
	if !slices.Equal(lite, pg) {
		t.Errorf("SQLite has %v, PostgreSQL %v", lite, pg)
	}
	if slices.Contains(lite, "00010") {
		t.Error("00010 comes after stores have 00012: give it a number behind the last one")
	}
}
