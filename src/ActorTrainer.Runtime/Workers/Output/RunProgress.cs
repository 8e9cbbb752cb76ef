using ActorTrainer.Core.Progress;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Workers.Output;

/// <summary>What a command's output says of its progress, looked at a few times a second. Safe from several threads.</summary>
internal sealed class RunProgress(RunKey run, ProgressSpec? spec, string directory, TimeProvider time, int after = 0)
{
    /// <summary>How often the output is looked at.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    private const int MostKept = 256;

    private readonly Lock _lock = new();
    private readonly OutputGlance _glance = new(directory, after);
    private readonly ScriptProgress _progress = new(spec);
    private readonly long _since = time.GetTimestamp();
    private List<(DateTimeOffset At, OutputProgress Said)> _kept = [];

    /// <summary>Whether the run is over, so that it is looked at no more.</summary>
    public volatile bool Over;

    /// <summary>What the output says; null: nothing new since the last look.</summary>
    /// <param name="ending">Whether nothing more comes.</param>
    public WorkerPrinted? Look(bool ending)
    {
        lock (_lock)
        {
            if (Over || !_progress.Add(_glance.Look(ending), time.GetElapsedTime(_since)) || _progress.Current is not { } said)
            {
                return null;
            }

            Keep(said);
            return new WorkerPrinted(run, said, _progress.Remaining);
        }
    }

    /// <summary>
    /// What the output had said when a state was saved, without metrics; null: nothing by then. That is before the state was seen to be
    /// complete.
    /// </summary>
    /// <param name="saved">When its last file was written.</param>
    public OutputProgress? AtSave(DateTimeOffset saved)
    {
        lock (_lock)
        {
            int last = _kept.FindLastIndex(kept => kept.At <= saved + Every);
            return last < 0 ? null : _kept[last].Said with { Metrics = new Dictionary<string, double>(), Guessed = true };
        }
    }

    private void Keep(OutputProgress said)
    {
        if (_kept.Count > 0 && _kept[^1].Said.Step == said.Step && _kept[^1].Said.Epoch == said.Epoch)
        {
            return;
        }

        if (_kept.Count == MostKept)
        {
            // Coarser, and as far back.
            _kept = [.. _kept.Where((_, i) => i % 2 == 1)];
        }

        _kept.Add((time.GetUtcNow(), said));
    }
}
