package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Who uses a root package sees types of ours and of the standard library only:
// what a dependency renames breaks nobody else.
func TestNoForeignTypesInSignatures(t *testing.T) {
	files := 0
	for _, dir := range []string{"ical", "itip", "imip", "caldav", "cip", "cap"} {
		filepath.WalkDir(filepath.Join("..", "..", dir), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") || strings.Contains(filepath.ToSlash(file), "/internal/typed/") {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Error(err)
				return nil
			}
			files++
			foreign := map[string]string{}
			for _, imp := range f.Imports {
				p, err := strconv.Unquote(imp.Path.Value)
				first, _, _ := strings.Cut(p, "/")
				if err != nil || !strings.Contains(first, ".") || strings.HasPrefix(p, module) {
					continue
				}
				name := path.Base(p)
				if imp.Name != nil {
					name = imp.Name.Name
				}
				foreign[name] = p
			}
			see := func(what string, n ast.Node) {
				ast.Inspect(n, func(n ast.Node) bool {
					if s, ok := n.(*ast.SelectorExpr); ok {
						if x, ok := s.X.(*ast.Ident); ok && foreign[x.Name] != "" {
							t.Errorf("%s: %s speaks of %s.%s", file, what, foreign[x.Name], s.Sel.Name)
						}
					}
					return true
				})
			}
			for _, decl := range f.Decls {
				switch decl := decl.(type) {
				case *ast.FuncDecl:
					if decl.Name.IsExported() {
						see(decl.Name.Name, decl.Type)
					}
				case *ast.GenDecl:
					for _, spec := range decl.Specs {
						switch spec := spec.(type) {
						case *ast.TypeSpec:
							exported(spec, see)
						case *ast.ValueSpec:
							if spec.Names[0].IsExported() && spec.Type != nil {
								see(spec.Names[0].Name, spec.Type)
							}
						}
					}
				}
			}
			return nil
		})
	}
	if files == 0 {
		t.Fatal("found no Go file: the walk starts in the wrong place")
	}
}

// exported looks at what others see of a type.
func exported(spec *ast.TypeSpec, see func(string, ast.Node)) {
	if !spec.Name.IsExported() {
		return
	}
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		see(spec.Name.Name, spec.Type)
		return
	}
	for _, field := range s.Fields.List {
		if len(field.Names) == 0 || field.Names[0].IsExported() {
			see(spec.Name.Name, field.Type)
		}
	}
}
