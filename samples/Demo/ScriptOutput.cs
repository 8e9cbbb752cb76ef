using System.Globalization;
using System.Text;
using ActorTrainer.Client;

namespace ActorTrainer.Samples.Demo;

/// <summary>Follows what the PyTorch script prints, from run to run and node to node: its steps are known from nowhere else.</summary>
internal sealed class ScriptOutput
{
    private readonly object _gate = new();
    private long _step;
    private long _highest;
    private long _redone;
    private long _above = long.MaxValue;
    private bool _resumed;
    private bool _goneOn;
    private double? _accuracy;

    /// <summary>The newest step.</summary>
    public long Step => Read(() => _step);

    /// <summary>The highest step.</summary>
    public long Highest => Read(() => _highest);

    /// <summary>Steps printed again after a resumption.</summary>
    public long StepsRedone => Read(() => _redone);

    /// <summary>Whether a resumed run has printed a step above the one given to <see cref="WatchFrom"/>.</summary>
    public bool HasGoneOn => Read(() => _goneOn);

    /// <summary>The accuracy that it ended with, or null.</summary>
    public double? Accuracy => Read(() => _accuracy);

    /// <summary>Copies the output until the task is finished.</summary>
    public async Task FollowAsync(ActorTrainerClient client, string task, CancellationToken cancellationToken)
    {
        await using LineStream lines = new(Take);
        await client.CopyOutputAsync(task, lines, follow: true, cancellationToken);
    }

    /// <summary>From now on the first step above this one, after a resumption, is waited for.</summary>
    public void WatchFrom(long step)
    {
        lock (_gate)
        {
            (_above, _resumed, _goneOn) = (step, false, false);
        }
    }

    internal void Take(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        lock (_gate)
        {
            switch (words)
            {
                case ["resumed", "at", "step", { } text] when long.TryParse(text, CultureInfo.InvariantCulture, out long from):
                    _redone += Math.Max(0, _highest - from);
                    _step = from;
                    _resumed = true;
                    break;
                case ["step", { } text, ..] when long.TryParse(text, CultureInfo.InvariantCulture, out long step):
                    _step = step;
                    _highest = Math.Max(_highest, step);
                    _goneOn |= _resumed && step > _above;
                    break;
                case ["accuracy", { } text] when double.TryParse(text, CultureInfo.InvariantCulture, out double accuracy):
                    _accuracy = accuracy;
                    break;
            }
        }
    }

    private T Read<T>(Func<T> value)
    {
        lock (_gate)
        {
            return value();
        }
    }

    /// <summary>Hands on whole lines.</summary>
    private sealed class LineStream(Action<string> take) : MemoryStream
    {
        private readonly List<byte> _line = [];

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            foreach (byte value in buffer.Span)
            {
                if (value != '\n')
                {
                    _line.Add(value);
                    continue;
                }

                take(Encoding.UTF8.GetString([.. _line]));
                _line.Clear();
            }

            return ValueTask.CompletedTask;
        }
    }
}
