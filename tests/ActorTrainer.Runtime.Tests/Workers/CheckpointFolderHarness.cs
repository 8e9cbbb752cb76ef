using System.Runtime.Versioning;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>
/// A checkpoint folder that is captured, in a time that the test makes pass. Beside tests that start processes the end of a write would be
/// told late: a process holds all open files from its fork to its exec.
/// </summary>
[UnsupportedOSPlatform("windows")]
public abstract class CheckpointFolderHarness : IDisposable
{
    private protected readonly string _directory = Directory.CreateTempSubdirectory("actortrainer-").FullName;
    private protected readonly FakeTimeProvider _time = new();
    private protected readonly List<StagedState> _states = [];
    private protected readonly List<string> _warnings = [];
    private protected CheckpointFolder? _capture;

    private protected string Folder => Path.Combine(_directory, "checkpoint");

    public void Dispose()
    {
        _capture?.Dispose();
        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected void Open(FolderCaptureOptions? options = null)
    {
        _ = Directory.CreateDirectory(Folder);
        _capture = new CheckpointFolder(
            Folder,
            Path.Combine(_directory, "staging"),
            options ?? new FolderCaptureOptions { WarnAfter = TimeSpan.FromMinutes(10) },
            [],
            _time,
            captured =>
            {
                if (captured.State is { } state)
                {
                    _states.Add(state);
                    _capture!.Released();
                }
                else
                {
                    _warnings.Add(captured.Warning!);
                }
            }
        );
    }

    private protected void Write(params string[] names)
    {
        foreach (string name in names)
        {
            string path = Path.Combine(Folder, name);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            _capture!.Look();
            File.WriteAllText(path, "content");
            _capture.Look();
            _time.Advance(TimeSpan.FromSeconds(1));
            _capture.Look();
        }
    }

    private protected void Pass(int minutes = 0, int seconds = 0)
    {
        for (int i = 0; i < minutes + seconds; i++)
        {
            _time.Advance(i < minutes ? TimeSpan.FromMinutes(1) : TimeSpan.FromSeconds(1));
            _capture!.Look();
        }
    }

    private protected sealed class FakeWitness : IRunWitness
    {
        public IReadOnlyList<ProcessOutcome> Now { get; set; } = [];

        public IReadOnlyList<ProcessOutcome> Ends() => Now;

        public void Overlook(int pid) { }

        public int? Ranks() => null;

        public void OnLeaderEnded(ProcessOutcome outcome, IEnumerable<int> leftBehind) { }

        public void Dispose() { }
    }
}
