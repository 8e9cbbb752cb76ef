using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>How processes of a run end, seen on real ones.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class RunWitnessTests
{
    /// <summary>One that fails puts what was written last in doubt; one that only brings a word writes nothing.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ends_AChildFails_CountsUnlessItIsOverlooked(bool isOverlooked)
    {
        // The child ends with 1 at the first line, the leader at the second.
        ProcessStartInfo start = new("/bin/sh", ["-c", "sh -c 'echo $$; read -r line; exit 1'; read -r line"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process leader = Process.Start(start)!;
        using RunWitness witness = new(leader.Id, TimeProvider.System);
        int child = int.Parse((await leader.StandardOutput.ReadLineAsync(Cancelled))!, CultureInfo.InvariantCulture);
        if (isOverlooked)
        {
            witness.Overlook(child);
        }

        witness.Ends().ShouldBeEmpty();
        await leader.StandardInput.WriteLineAsync("end");
        ProcessOutcome[] outcomes = await OutcomesAsync(witness);

        outcomes
            .ShouldHaveSingleItem()
            .ShouldBeOneOf(isOverlooked ? [ProcessOutcome.Done] : [ProcessOutcome.Failed, ProcessOutcome.Unclear]);
        await leader.StandardInput.WriteLineAsync("end");
        await leader.WaitForExitAsync(Cancelled);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static async Task<ProcessOutcome[]> OutcomesAsync(RunWitness witness)
    {
        while (true)
        {
            ProcessOutcome[] known = [.. witness.Ends().Where(outcome => outcome != ProcessOutcome.Pending)];
            if (known.Length > 0)
            {
                return known;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancelled);
        }
    }
}
