// insert copies a Go module and puts additions into the copy: files of our own, and statements of our own at the start
// of a named function or in place of a named call. README.md in the folder above describes them.
//
// It reads a request as JSON from stdin and writes {"problems": [...]} to stdout. Each problem is one sentence: an
// addition that does not fit this version of the module. The copy is complete only if there is none.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

type request struct {
	Module    string     `json:"module"` // folder of the module, left as it is
	Target    string     `json:"target"` // folder of the copy
	Additions []addition `json:"additions"`
}

type addition struct {
	Name       string      `json:"name"`
	Files      []file      `json:"files"`
	Statements []statement `json:"statements"`
}

type file struct {
	Folder     string `json:"folder"`
	Name       string `json:"name"`
	Contents   string `json:"contents"`
	NewPackage bool   `json:"newPackage"`
}

type statement struct {
	File     string            `json:"file"`
	Function string            `json:"function"`
	Imports  map[string]string `json:"imports"`
	Start    string            `json:"start"`
	Call     string            `json:"call"`
	With     string            `json:"with"`
	Times    int               `json:"times"`
}

// edit replaces the bytes [from, to) of a file.
type edit struct {
	from, to int
	text     string
}

func main() {
	var asked request
	check(json.NewDecoder(os.Stdin).Decode(&asked))
	check(copyTree(asked.Module, asked.Target))
	problems := []string{}
	edits := map[string][]edit{}
	for _, one := range asked.Additions {
		problem := func(format string, values ...any) {
			problems = append(problems, fmt.Sprintf("the addition %s does not fit: ", one.Name)+fmt.Sprintf(format, values...))
		}
		for _, added := range one.Statements {
			found, err := locate(asked.Target, added)
			if err != nil {
				problem("%v", err)
				continue
			}
			edits[added.File] = append(edits[added.File], found...)
		}
		for _, added := range one.Files {
			if err := place(asked.Target, added); err != nil {
				problem("%v", err)
			}
		}
	}
	for name, list := range edits {
		if err := apply(filepath.Join(asked.Target, name), list); err != nil {
			problems = append(problems, fmt.Sprintf("the additions to %s do not fit: %v", name, err))
		}
	}
	sort.Strings(problems)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"problems": problems}))
}

// locate finds where a statement belongs.
func locate(root string, added statement) ([]edit, error) {
	text, err := os.ReadFile(filepath.Join(root, added.File))
	if err != nil {
		return nil, fmt.Errorf("the module has no file %s with the function %s", added.File, added.Function)
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, added.File, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	offset := func(at token.Pos) int { return set.Position(at).Offset }
	function := find(parsed, added.Function)
	if function == nil {
		return nil, fmt.Errorf("%s has no function %s", added.File, added.Function)
	}
	edits := importEdits(parsed, offset(parsed.Name.End()), added.Imports)
	if added.Call == "" {
		at := offset(function.Body.Lbrace) + 1
		return append(edits, edit{at, at, "\n" + added.Start + "\n"}), nil
	}
	calls := callsOf(function.Body, added.Call)
	if len(calls) != added.Times {
		return nil, fmt.Errorf("the function %s in %s calls %s %d times, not %d times", added.Function, added.File, added.Call, len(calls), added.Times)
	}
	for _, call := range calls {
		source := func(from, to token.Pos) string { return string(text[offset(from):offset(to)]) }
		arguments := source(call.Lparen+1, call.Rparen)
		receiver := ""
		if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
			receiver = source(selector.X.Pos(), selector.X.End())
		}
		replaced := strings.NewReplacer(
			"{call}", source(call.Pos(), call.End()), "{args}", arguments, "{receiver}", receiver,
		).Replace(added.With)
		edits = append(edits, edit{offset(call.Pos()), offset(call.End()), replaced})
	}
	return edits, nil
}

// find returns the function `Name` or the method `Type.Name`.
func find(parsed *ast.File, name string) *ast.FuncDecl {
	for _, declaration := range parsed.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if ok && function.Body != nil && receiverOf(function)+function.Name.Name == name {
			return function
		}
	}
	return nil
}

func receiverOf(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return ""
	}
	kind := function.Recv.List[0].Type
	for {
		switch inner := kind.(type) {
		case *ast.StarExpr:
			kind = inner.X
		case *ast.IndexExpr:
			kind = inner.X
		case *ast.IndexListExpr:
			kind = inner.X
		default:
			return types.ExprString(kind) + "."
		}
	}
}

func callsOf(body *ast.BlockStmt, name string) []*ast.CallExpr {
	var calls []*ast.CallExpr
	ast.Inspect(body, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && types.ExprString(call.Fun) == name {
			calls = append(calls, call)
		}
		return true
	})
	return calls
}

// importEdits adds what the file does not import under this name yet.
func importEdits(parsed *ast.File, at int, imports map[string]string) []edit {
	var edits []edit
	for name, path := range imports {
		line := fmt.Sprintf("; import %s %q", name, path)
		known := false
		for _, spec := range parsed.Imports {
			known = known || spec.Path.Value == fmt.Sprintf("%q", path) && spec.Name != nil && spec.Name.Name == name
		}
		if !known {
			edits = append(edits, edit{at, at, line})
		}
	}
	return edits
}

func place(root string, added file) error {
	folder := filepath.Join(root, added.Folder)
	sources, _ := filepath.Glob(filepath.Join(folder, "*.go"))
	foreign := 0
	for _, source := range sources {
		if !strings.HasPrefix(filepath.Base(source), "edgeadm_") {
			foreign++
		}
	}
	if added.NewPackage && foreign > 0 {
		return fmt.Errorf("the module has a package %s of its own now", added.Folder)
	}
	if !added.NewPackage && foreign == 0 {
		return fmt.Errorf("the module has no package %s for the file %s", added.Folder, added.Name)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	path := filepath.Join(folder, added.Name)
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s has a file %s already", added.Folder, added.Name)
	}
	return os.WriteFile(path, []byte(added.Contents), 0o644)
}

// apply makes the edits of one file, those at one place in the order given. The same import, asked for twice, is made once.
func apply(path string, edits []edit) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sort.SliceStable(edits, func(a, b int) bool { return edits[a].from < edits[b].from })
	var out strings.Builder
	at := 0
	imported := map[string]bool{}
	for _, one := range edits {
		if one.from < at {
			return fmt.Errorf("two of them replace the same call")
		}
		out.Write(text[at:one.from])
		at = one.to
		if strings.HasPrefix(one.text, "; import ") {
			if imported[one.text] {
				continue
			}
			imported[one.text] = true
		}
		out.WriteString(one.text)
	}
	out.Write(text[at:])
	formatted, err := format.Source([]byte(out.String()))
	if err != nil {
		return err
	}
	return os.WriteFile(path, formatted, 0o644)
}

// copyTree copies a folder of the module cache, which is read-only, to one that can be written.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		bytes, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, bytes, 0o644)
	})
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
