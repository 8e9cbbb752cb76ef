using System.Globalization;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;
using Spectre.Console;

namespace ActorTrainer.Samples.Demo;

/// <summary>The demo from its first process to its exit code.</summary>
internal sealed class DemoRun(bool keep)
{
    private const int Nodes = 3;
    private const int Interrupted = 130;

    private readonly long _started = TimeProvider.System.GetTimestamp();

    /// <exception cref="DemoException">It could not begin.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        DemoPaths paths = DemoPaths.Find();
        string? python = await Python.FindAsync(cancellationToken);
        if (python is null)
        {
            Console.WriteLine("Without the PyTorch task: no python3 here imports torch.");
        }

        DemoCluster cluster = new(paths, Nodes);
        Observer observer = new(cluster.Nodes, cluster.Client, Clock);
        int exitCode = 1;
        try
        {
            exitCode = await PlayAsync(paths, cluster, observer, python, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Console.WriteLine("Interrupted: ending all processes.");
            exitCode = Interrupted;
        }
        catch (Exception e)
            when (e
                    is DemoException
                        or TimeoutException
                        or NoNodeException
                        or ActorTrainerApiException
                        or UnknownOutcomeException
                        or HttpRequestException
            )
        {
            Console.WriteLine($"FAILED: {e.Message}");
        }
        finally
        {
            await cluster.DisposeAsync();
            await DemoCluster.EndWorkersAsync(observer.Tasks);
        }

        if (exitCode == 1 || keep)
        {
            Console.WriteLine($"Journal, checkpoints and logs are kept in {cluster.Folder}");
        }
        else
        {
            await cluster.RemoveFolderAsync();
        }

        return exitCode;
    }

    private TimeSpan Clock() => TimeProvider.System.GetElapsedTime(_started);

    private async Task<int> PlayAsync(
        DemoPaths paths,
        DemoCluster cluster,
        Observer observer,
        string? python,
        CancellationToken cancellationToken
    )
    {
        Scene scene = new(observer, cluster.Nodes, cluster.References, [], Clock);
        TimeSpan? detected = null;
        async Task PlayOn(IScreen screen)
        {
            Scenario scenario = new(paths, cluster, scene, screen);
            await scenario.RunAsync(python, cancellationToken);
            detected = scenario.DetectedAfter;
        }

        bool terminal = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;
        if (terminal)
        {
            await AnsiConsole.Live(new Text("")).StartAsync(live => PlayOn(new LiveScreen(live, AnsiConsole.Profile.Height)));
        }
        else
        {
            await PlayOn(new LineScreen(Console.Out));
        }

        IReadOnlyDictionary<string, IReadOnlyList<EventRow>> histories = await Verdict.ReadHistoriesAsync(
            cluster.Client,
            observer.Tasks,
            cancellationToken
        );
        IReadOnlyList<Finding> findings = Verdict.Judge(observer.Tasks, histories, cluster.References.HashOf);
        Console.WriteLine();
        WriteTable(Verdict.Draw(observer.Tasks, cluster.Nodes, detected, cluster.References.HashOf));
        Console.WriteLine();
        foreach (Finding finding in findings)
        {
            Console.WriteLine($"{(finding.Holds ? "yes" : "NO ")}  {finding.Statement}");
            foreach (string fault in finding.Faults)
            {
                Console.WriteLine($"     {fault}");
            }
        }

        bool holds = findings.All(finding => finding.Holds);
        Console.WriteLine();
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{(holds ? "All of it holds" : "FAILED")}, after {Clock().TotalSeconds:0} s.")
        );
        return holds ? 0 : 1;
    }

    /// <summary>Without blanks at the end of lines.</summary>
    private static void WriteTable(Table table)
    {
        using StringWriter text = new();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 100;
        console.Write(table);
        foreach (string line in text.ToString().TrimEnd().Split('\n'))
        {
            Console.WriteLine(line.TrimEnd());
        }
    }
}
