using System.Reflection;
using System.Runtime.CompilerServices;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Testing.Released;

/// <summary>
/// What released versions have written, kept as text in folders <c>VERSION</c> of a test project's folder <c>Released</c>. Tests show that
/// it is still read. With <c>WRITE_RELEASE=1</c> the tests write the files of the version that is in the build, where they are missing; a
/// file that is there is never written anew.
/// </summary>
/// <param name="file">A file in the folder; by default the one that asks.</param>
public sealed class ReleasedFiles([CallerFilePath] string file = "")
{
    private readonly string _folder = Path.GetDirectoryName(file)!;

    /// <summary>Whether missing files are to be written.</summary>
    public static bool IsWriting => Environment.GetEnvironmentVariable("WRITE_RELEASE") == "1";

    /// <summary>The version in the build.</summary>
    public static string Present { get; } =
        typeof(TaskState).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>The versions of which a file is kept, oldest first.</summary>
    public IEnumerable<string> VersionsOf(string name) =>
        Directory
            .EnumerateDirectories(_folder)
            .Where(folder => File.Exists(Path.Combine(folder, name)))
            .Select(folder => Path.GetFileName(folder)!)
            .OrderBy(Version.Parse);

    /// <summary>The text of a file of a version.</summary>
    public string Read(string version, string name) => File.ReadAllText(Path.Combine(_folder, version, name));

    /// <summary>The lines of a file of a version, each a name and what stands under it.</summary>
    public IReadOnlyDictionary<string, string> ReadPairs(string version, string name) =>
        Read(version, name)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('\t', 2))
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    /// <summary>Whether a file of the version in the build is asked for and missing.</summary>
    public bool Wants(string name) => IsWriting && !File.Exists(Path.Combine(_folder, Present, name));

    /// <summary>Writes a file of the version in the build.</summary>
    /// <exception cref="IOException">It is there.</exception>
    public void Write(string name, string text)
    {
        string path = Path.Combine(_folder, Present, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using StreamWriter writer = new(new FileStream(path, FileMode.CreateNew));
        writer.Write(text);
    }

    /// <summary>Writes a file of the version in the build, a line for each name and what stands under it.</summary>
    /// <exception cref="IOException">It is there.</exception>
    public void WritePairs(string name, IEnumerable<KeyValuePair<string, string>> pairs) =>
        Write(name, string.Concat(pairs.Select(pair => $"{pair.Key}\t{pair.Value}\n")));
}
