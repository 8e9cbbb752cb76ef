using ActorTrainer.Cli.Output;

namespace ActorTrainer.Cli.Commands;

/// <summary>Says now and then how far a copy is.</summary>
/// <param name="call">Where to say it.</param>
/// <param name="total">How many bytes there are.</param>
/// <param name="done">What became of those that are done.</param>
internal sealed class SaidProgress(Invocation call, long total, string done) : IProgress<long>
{
    private static readonly TimeSpan SaysEvery = TimeSpan.FromSeconds(5);

    private long _since = call.Cli.Time.GetTimestamp();

    public void Report(long value)
    {
        if (call.Cli.Time.GetElapsedTime(_since) >= SaysEvery)
        {
            _since = call.Cli.Time.GetTimestamp();
            call.Note($"{Human.Bytes(value)} of {Human.Bytes(total)} {done}");
        }
    }
}
