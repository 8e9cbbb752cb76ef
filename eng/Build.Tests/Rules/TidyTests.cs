using System.Text.RegularExpressions;

namespace ActorTrainer.Build.Tests.Rules;

/// <summary>What can be said of the text of every tracked file.</summary>
public sealed partial class TidyTests
{
    private const int MaxLines = 400;

    private const int MaxLineLength = 140;

    private static readonly string[] CodeExtensions = [".cs", ".py", ".sh", ".ps1"];

    private static readonly string[] TextExtensions =
    [
        .. CodeExtensions,
        ".csproj",
        ".props",
        ".targets",
        ".proj",
        ".json",
        ".conf",
        ".yml",
        ".runsettings",
        ".editorconfig",
    ];

    /// <summary>Files that may be longer, each with its reason.</summary>
    private static readonly Dictionary<string, string> LongFiles = [];

    /// <summary>Written in two halves, so that this file passes too.</summary>
    private static readonly string[] Unfinished = ["TB" + "D", "TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception"];

    [Fact]
    public void Files_OfCodeAndProse_LeaveNothingUnfinished()
    {
        Regex words = new($@"\b({string.Join('|', Unfinished)})\b", RegexOptions.CultureInvariant);

        Offences([.. TextExtensions, ".md"], (_, line) => words.IsMatch(line)).ShouldBeEmpty();
    }

    [Fact]
    public void Files_OfCode_HaveNoTabs() => Offences([".cs", ".py", ".sh"], (_, line) => line.Contains('\t')).ShouldBeEmpty();

    [Fact]
    public void Files_OfText_HaveNoTrailingWhiteSpace() =>
        Offences(TextExtensions, (_, line) => line.Length > 0 && char.IsWhiteSpace(line[^1])).ShouldBeEmpty();

    [Fact]
    public void Files_OfText_EndWithOneNewline()
    {
        string[] wrong =
        [
            .. Files([.. TextExtensions, ".md"])
                .Where(path =>
                {
                    string text = RepositoryFiles.Read(path);
                    return !text.EndsWith('\n') || text.EndsWith("\n\n", StringComparison.Ordinal);
                }),
        ];

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Files_OfCSharp_HaveNoEmptyComments() => Offences([".cs"], (_, line) => EmptyComment().IsMatch(line)).ShouldBeEmpty();

    [Fact]
    public void Files_OfCode_AreShort()
    {
        string[] wrong =
        [
            .. Files(CodeExtensions)
                .Where(path => !LongFiles.ContainsKey(path))
                .Select(path => (path, lines: File.ReadLines(RepositoryFiles.Repository.PathOf(path)).Count()))
                .Where(file => file.lines > MaxLines)
                .Select(file => $"{file.path}: {file.lines} lines"),
        ];

        wrong.ShouldBeEmpty($"a file past {MaxLines} lines usually does two jobs");
    }

    /// <summary>The formatter breaks code, and leaves comments and strings as they are. A line without a blank cannot be broken.</summary>
    [Fact]
    public void Lines_OfCSharp_AreShort() =>
        Offences([".cs"], (_, line) => line.Length > MaxLineLength && line.Trim().Contains(' '))
            .ShouldBeEmpty($"no line is longer than {MaxLineLength} characters: wrap a comment, break a string with +");

    [Fact]
    public void LongFiles_AreStillThereAndLong()
    {
        string[] wrong =
        [
            .. LongFiles.Keys.Where(path =>
                !RepositoryFiles.Tracked.Contains(path) || RepositoryFiles.Read(path).Split('\n').Length <= MaxLines
            ),
        ];

        wrong.ShouldBeEmpty("they need no exception");
    }

    /// <summary>Examples may be those of x, ada, user and you.</summary>
    [Fact]
    public void Files_OfAnyKind_NameNoHomeDirectory() =>
        Offences([.. TextExtensions, ".md", ".txt"], (_, line) => HomeDirectory().IsMatch(line)).ShouldBeEmpty();

    [Fact]
    public void Files_OfCore_HaveNoLocksAndNothingAsynchronous() =>
        Offences(
                [".cs"],
                (path, line) => path.StartsWith("src/ActorTrainer.Core/", StringComparison.Ordinal) && Concurrency().IsMatch(Code(line))
            )
            .ShouldBeEmpty();

    [Fact]
    public void Files_OfCSharp_HaveNoAsyncVoid() => Offences([".cs"], (_, line) => AsyncVoid().IsMatch(Code(line))).ShouldBeEmpty();

    [Fact]
    public void Links_InMarkdown_LeadToFiles()
    {
        List<string> broken = [];
        foreach (string path in Files([".md"]))
        {
            string text = CodeBlock().Replace(RepositoryFiles.Read(path), "");
            string folder = Path.GetDirectoryName(RepositoryFiles.Repository.PathOf(path))!;
            foreach (Match link in Link().Matches(text))
            {
                string target = link.Groups["target"].Value.Split('#')[0];
                bool elsewhere =
                    target.Length == 0
                    || target.Contains("://", StringComparison.Ordinal)
                    || target.StartsWith("mailto:", StringComparison.Ordinal);
                if (!elsewhere && !Path.Exists(Path.Combine(folder, Uri.UnescapeDataString(target))))
                {
                    broken.Add($"{path}: {target}");
                }
            }
        }

        broken.ShouldBeEmpty();
    }

    [Fact]
    public void License_IsApache()
    {
        string text = RepositoryFiles.Read("LICENSE");

        text.ShouldContain("Apache License");
        text.ShouldContain("Version 2.0, January 2004");
        RepositoryFiles.Read("Directory.Build.props").ShouldContain("<PackageLicenseExpression>Apache-2.0</PackageLicenseExpression>");
    }

    [Fact]
    public void Changelog_HasAnUnreleasedPart() => RepositoryFiles.Read("CHANGELOG.md").ShouldContain("## [Unreleased]");

    private static IEnumerable<string> Files(IReadOnlyCollection<string> extensions) =>
        RepositoryFiles.Tracked.Where(path => extensions.Contains(Path.GetExtension(path)));

    private static List<string> Offences(IReadOnlyCollection<string> extensions, Func<string, string, bool> isOffence)
    {
        List<string> offences = [];
        foreach (string path in Files(extensions))
        {
            int number = 0;
            foreach (string line in RepositoryFiles.Read(path).Split('\n'))
            {
                number++;
                if (isOffence(path, line))
                {
                    offences.Add($"{path}:{number}: {line.Trim()}");
                }
            }
        }

        return offences;
    }

    /// <summary>The line without its comment.</summary>
    private static string Code(string line)
    {
        int comment = line.IndexOf("//", StringComparison.Ordinal);
        return comment < 0 ? line : line[..comment];
    }

    [GeneratedRegex(@"^\s*//\s*$|/\*\s*\*/|<summary>\s*</summary>")]
    private static partial Regex EmptyComment();

    [GeneratedRegex(@"/(home|Users)/(?!(x|ada|user|you)\b)[A-Za-z]|(^|[\s""'=(:])/root/|[A-Za-z]:\\Users\\")]
    private static partial Regex HomeDirectory();

    [GeneratedRegex(@"\block\s*\(|\basync\s|\bawait\s|\bTask<|\bValueTask\b|\[ThreadStatic")]
    private static partial Regex Concurrency();

    [GeneratedRegex(@"\basync\s+void\b")]
    private static partial Regex AsyncVoid();

    [GeneratedRegex(@"^```.*?^```|`[^`\n]*`", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)[^)]*\)")]
    private static partial Regex Link();
}
