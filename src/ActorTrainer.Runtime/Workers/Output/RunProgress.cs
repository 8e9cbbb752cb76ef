using ActorTrainer.Core.Progress;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Workers.Output;

/// <summary>What a command's output says of its progress, looked at a few times a second. Safe from several threads.</summary>
internal sealed class RunProgress(RunKey run, ProgressSpec? spec, string directory, TimeProvider time, int after = 0)
{
    /// <summary>How often the output is looked at.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    /// <summary>How much later the output may get into its file than the files of a save that was printed behind it.</summary>
    private static readonly TimeSpan Lag = TimeSpan.FromMilliseconds(50);

    private const int MostKept = 256;

    private readonly Lock _lock = new();
    private readonly OutputGlance _glance = new(directory, after);
    private readonly ScriptProgress _progress = new(spec);
    private readonly long _since = time.GetTimestamp();
    private DateTimeOffset _looked;
    private List<Glimpse> _kept = [];

    /// <summary>What the output had said at a look, and when the look before that was.</summary>
    private readonly record struct Glimpse(DateTimeOffset Before, OutputProgress Said);

    /// <summary>Whether the run is over, so that it is looked at no more.</summary>
    public volatile bool Over;

    /// <summary>What the output says; null: nothing new since the last look.</summary>
    /// <param name="ending">Whether nothing more comes.</param>
    public WorkerPrinted? Look(bool ending)
    {
        lock (_lock)
        {
            DateTimeOffset before = _looked;
            _looked = time.GetUtcNow();
            if (Over || !_progress.Add(_glance.Look(ending), time.GetElapsedTime(_since)) || _progress.Current is not { } said)
            {
                return null;
            }

            Keep(new Glimpse(before, said));
            return new WorkerPrinted(run, said, _progress.Remaining);
        }
    }

    /// <summary>
    /// What the output had said when a state was saved, without metrics; null: nothing by then. That is what the first look from then on
    /// found: so look before this.
    /// </summary>
    /// <param name="saved">When its last file was written.</param>
    public OutputProgress? AtSave(DateTimeOffset saved)
    {
        lock (_lock)
        {
            int last = _kept.FindLastIndex(kept => kept.Before < saved + Lag);
            return last < 0 ? null : _kept[last].Said with { Metrics = new Dictionary<string, double>(), Guessed = true };
        }
    }

    private void Keep(Glimpse seen)
    {
        if (_kept.Count > 0 && _kept[^1].Said.Step == seen.Said.Step && _kept[^1].Said.Epoch == seen.Said.Epoch)
        {
            return;
        }

        if (_kept.Count == MostKept)
        {
            // Coarser, and as far back.
            _kept = [.. _kept.Where((_, i) => i % 2 == 1)];
        }

        _kept.Add(seen);
    }
}
