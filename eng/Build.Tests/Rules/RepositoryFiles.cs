using System.Diagnostics;

namespace ActorTrainer.Build.Tests.Rules;

/// <summary>The files of the working copy that the tests look at.</summary>
internal static class RepositoryFiles
{
    private static readonly Lazy<IReadOnlyList<string>> TrackedFiles = new(ListTracked);

    /// <summary>The working copy.</summary>
    public static Repository Repository { get; } = Repository.Find();

    /// <summary>Paths that git tracks and that exist, relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<string> Tracked => TrackedFiles.Value;

    /// <summary>The text of a file given by its path relative to the root.</summary>
    public static string Read(string path) => File.ReadAllText(Repository.PathOf(path));

    private static IReadOnlyList<string> ListTracked()
    {
        // The working copy may belong to another user, in a container say; git would refuse it without the option.
        ProcessStartInfo start = new("git", ["-c", "safe.directory=*", "ls-files", "-z"])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
        };
        using Process git = Process.Start(start)!;
        string output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        git.ExitCode.ShouldBe(0, "git ls-files failed: the tidy tests look at tracked files");
        return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => File.Exists(Repository.PathOf(path)))];
    }
}
