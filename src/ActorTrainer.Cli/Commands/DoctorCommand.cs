using System.CommandLine;
using System.Text.Json;
using ActorTrainer.Cli.Doctor;
using ActorTrainer.Cli.Output;
using ActorTrainer.Core.Configuration;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class DoctorCommand
{
    private static readonly TimeSpan ToolTimeout = TimeSpan.FromSeconds(30);

    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Option<string?> config = new("--config", "-c")
        {
            Description = "The configuration file of the node to look at.",
            HelpName = "FILE",
        };
        CliCommand command = new(
            "doctor",
            "Looks whether this machine can run a node and its tasks, and says what to do.",
            "actortrainer doctor",
            "actortrainer doctor --config node.conf"
        )
        {
            config,
        };
        command.ExitCodeNote = "1 when a node would not work here";
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                NodeModel model = cli.Files.ReadNode(call.Value(config), []);
                using CancellationTokenSource limit = new(ToolTimeout, cli.Time);
                using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, call.Interrupt);
                List<Finding> findings =
                [
                    MachineChecks.OperatingSystemName(),
                    MachineChecks.Runtime(),
                    await MachineChecks.SdkAsync(either.Token),
                    await MachineChecks.PythonAsync(either.Token),
                    MachineChecks.Clock(cli.Now),
                    MachineChecks.Folder("data", model.DataDir, "--data-dir", localOnly: false, cli.Time),
                    MachineChecks.Folder(
                        "journal",
                        Path.GetDirectoryName(model.Journal.Path)!,
                        "actortrainer.journal.path",
                        localOnly: true,
                        cli.Time
                    ),
                    MachineChecks.Folder(
                        "checkpoints",
                        model.Checkpoints.Path,
                        "actortrainer.checkpoints.path",
                        localOnly: false,
                        cli.Time
                    ),
                    MachineChecks.Disk(model.Checkpoints.Path),
                    .. await StoreChecks.RunAsync(model.Checkpoints, cli.Time, either.Token),
                    .. await NodeChecks.RunAsync(call.Client, model, call.Interrupt),
                ];
                if (call.Json)
                {
                    call.Line(JsonSerializer.Serialize(findings, DoctorJson.Default.IReadOnlyListFinding));
                }
                else
                {
                    call.Write(Rows(findings));
                }

                return findings.Any(finding => finding.Level == Level.Fail) ? ExitCodes.Failed : ExitCodes.Ok;
            }
        );
        return command;
    }

    private static Table Rows(List<Finding> findings)
    {
        Table table = Tables.Create("CHECK", "", "~FOUND");
        foreach (Finding finding in findings)
        {
            Color colour = finding.Level switch
            {
                Level.Ok => Color.Green,
                Level.Warn => Color.Yellow,
                _ => Color.Red,
            };
            table.Row(
                new Text(finding.Check),
                new Text(finding.Level.ToString().ToLowerInvariant(), new Style(colour)),
                new Text(finding.Advice.Length > 0 ? $"{finding.Found}; {finding.Advice}" : finding.Found)
            );
        }

        return table;
    }
}
