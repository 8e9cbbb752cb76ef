using System.Globalization;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>
/// Says why there is no checkpoint when there has been none for long: at most once in that time, the same at most once an hour.
/// </summary>
/// <param name="after">After how long; zero: never.</param>
/// <param name="time">The clock.</param>
/// <param name="say">Told, as a sentence.</param>
internal sealed class CheckpointWatch(TimeSpan after, TimeProvider time, Action<string> say)
{
    private static readonly TimeSpan SameAgain = TimeSpan.FromHours(1);

    private readonly long _begun = time.GetTimestamp();
    private long _since = time.GetTimestamp();
    private long _asked = time.GetTimestamp();
    private long _saidAt;
    private string? _said;
    private bool _any;

    /// <summary>A state was captured.</summary>
    public void Captured()
    {
        _any = true;
        _since = _asked = time.GetTimestamp();
        _said = null;
    }

    /// <summary>Looks whether it is time to say something.</summary>
    /// <param name="hasOpen">Whether anything was saved since the last state: a script that saves seldom is none that is held up.</param>
    /// <param name="reason">Why nothing was captured since.</param>
    public void Look(bool hasOpen, Func<string> reason)
    {
        if (after <= TimeSpan.Zero || time.GetElapsedTime(_asked) < after || (_any && !hasOpen))
        {
            return;
        }

        _asked = time.GetTimestamp();
        string now = reason();
        if (now != _said || time.GetElapsedTime(_saidAt) >= SameAgain)
        {
            _said = now;
            _saidAt = _asked;
            say($"no checkpoint for {InWords(time.GetElapsedTime(_since))}: {now}");
        }
    }

    /// <summary>The run is over.</summary>
    /// <param name="expected">Whether it is worth a word however short the run was.</param>
    /// <param name="reason">Why nothing was captured.</param>
    public void End(bool expected, Func<string> reason)
    {
        if (!_any && after > TimeSpan.Zero && (expected || time.GetElapsedTime(_begun) >= after))
        {
            say($"the run ended without a checkpoint: {reason()}");
        }
    }

    private static string InWords(TimeSpan time) =>
        time < TimeSpan.FromMinutes(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalSeconds} s")
            : string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalMinutes} m");
}
