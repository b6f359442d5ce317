package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// memoTables are those that answers are remembered from.
var memoTables = []string{"account", "address", "redirect", "collection", "sender_rule"}

// remembering are the functions that keep answers, with all tables they read.
var remembering = map[string]string{"Holders": "address account", "Redirected": "redirect", "Places": "collection", "SenderRules": "sender_rule"}

// TestEveryWriteIsNoticed looks at each piece of SQL in the package: one that
// writes, in whatever form the engines know, a table that answers are remembered
// from must be one after which they are forgotten. Statements that are put together
// of a table's name are tried with each.
func TestEveryWriteIsNoticed(t *testing.T) {
	writes := regexp.MustCompile(`(?is)\b(?:(?:insert|replace)\b(?:\s+or\s+\w+)?\s+into|update\b(?:\s+or\s+\w+)?(?:\s+only)?|delete\s+from(?:\s+only)?|truncate(?:\s+table)?|merge\s+into)\s+(?:\w+\.)?["\x60\[]?(\w*)`)
	seen := map[string]int{}
	forEachText(t, func(at, text string) {
		for _, m := range writes.FindAllStringSubmatchIndex(text, -1) {
			table, statement := text[m[2]:m[3]], text[m[0]:]
			var tried []string
			switch {
			case table == "" && m[3] == len(text): // `delete from `+table
				tried = memoTables
			case contains(memoTables, table):
				tried = []string{""}
				seen[table]++
			}
			for _, name := range tried {
				if !upsetting.MatchString(statement + name + " ") {
					t.Errorf("%s: %q is not noticed", at, statement+name)
				}
			}
		}
	})
	for _, table := range memoTables {
		if seen[table] < 2 { // else this test looks at nothing
			t.Errorf("%d statements that write %s were found", seen[table], table)
		}
	}
	for _, odd := range []string{"INSERT OR REPLACE INTO account (id) values (1)", "replace into address values (1)", "update or ignore collection set x = 1",
		"with a as (select 1) update redirect set x = 1", "insert or ignore\n into sender_rule values (1)", "delete\tfrom \"account\"", "update main.account set x = 1"} {
		if !upsetting.MatchString(odd) {
			t.Errorf("%q is not noticed", odd)
		}
	}
}

// TestNothingWritesBehindStatements: what a migration lets the engine do by itself
// would be seen by nobody.
func TestNothingWritesBehindStatements(t *testing.T) {
	behind := regexp.MustCompile(`(?i)\b(create\s+(or\s+replace\s+)?trigger|on\s+delete|on\s+update|references|create\s+(or\s+replace\s+)?rule)\b`)
	for _, dir := range []string{"migrations/sqlite", "migrations/postgres"} {
		files, err := os.ReadDir(dir)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, f := range files {
			text, err := os.ReadFile(dir + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			if m := behind.Find(text); m != nil {
				t.Errorf("%s: %q changes rows that no statement of ours names", f.Name(), m)
			}
		}
	}
}

// TestRememberedIsOfTheseTables: what is remembered is read from tables whose
// writes are noticed, and from no other.
func TestRememberedIsOfTheseTables(t *testing.T) {
	read := regexp.MustCompile(`(?i)\b(?:from|join)\s+(\w+)`)
	keeps := map[string]bool{}
	forEachFunc(t, func(fn *ast.FuncDecl) {
		uses := false
		ast.Inspect(fn, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				f := call.Fun
				if x, ok := f.(*ast.IndexExpr); ok {
					f = x.X
				}
				if id, ok := f.(*ast.Ident); ok && (id.Name == "remembered" || id.Name == "keep") {
					uses = true
				}
			}
			return true
		})
		if !uses || fn.Name.Name == "remembered" {
			return
		}
		keeps[fn.Name.Name] = true
		tables, known := remembering[fn.Name.Name]
		if !known {
			t.Errorf("%s remembers answers and is not listed here with its tables", fn.Name.Name)
		}
		for _, text := range texts(fn) {
			for _, m := range read.FindAllStringSubmatch(text, -1) {
				if !contains(strings.Fields(tables), m[1]) || !contains(memoTables, m[1]) {
					t.Errorf("%s remembers what it reads of %s", fn.Name.Name, m[1])
				}
			}
		}
	})
	if len(keeps) != len(remembering) {
		t.Errorf("remembering: %v", keeps)
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

func forEachFunc(t *testing.T, each func(*ast.FuncDecl)) {
	t.Helper()
	forEachFile(t, func(_ *token.FileSet, f *ast.File) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				each(fn)
			}
		}
	})
}

func forEachText(t *testing.T, each func(at, text string)) {
	t.Helper()
	forEachFile(t, func(set *token.FileSet, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			if text, ok := literal(n); ok {
				each(set.Position(n.Pos()).String(), text)
			}
			return true
		})
	})
}

func texts(n ast.Node) (list []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if text, ok := literal(n); ok {
			list = append(list, text)
		}
		return true
	})
	return list
}

func literal(n ast.Node) (string, bool) {
	l, ok := n.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

func forEachFile(t *testing.T, each func(*token.FileSet, *ast.File)) {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") || f.Name() == "memo.go" {
			continue
		}
		parsed, err := parser.ParseFile(set, f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		each(set, parsed)
	}
}
