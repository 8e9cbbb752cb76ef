using System.Runtime.CompilerServices;

namespace ActorTrainer.Cli.Tests.Golden;

/// <summary>
/// Compares with a text file beside this one. With <c>UPDATE_GOLDEN=1</c> the file is written instead, to be looked at in the diff.
/// </summary>
internal static class GoldenFile
{
    /// <summary>Beside this file: where it was compiled is where the files are written.</summary>
    private static readonly string Folder = Here();

    public static void ShouldMatch(string name, string text)
    {
        string path = Path.Combine(Folder, name + ".txt");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
            return;
        }

        File.Exists(path).ShouldBeTrue($"{path} is missing; write it with UPDATE_GOLDEN=1");
        text.ShouldBe(File.ReadAllText(path), $"differs from {path}; if that is meant, write it anew with UPDATE_GOLDEN=1");
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
